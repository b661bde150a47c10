/** Section `telemetry` of a recipe: what is measured of each layer while it trains, and when. */
import { z } from "zod";
import { count, countOrZero } from "../config/numbers.ts";

export const telemetrySchema = z
  .strictObject({
    every: countOrZero
      .default(100)
      .describe("Steps between rows of telemetry.jsonl, one for each tensor; also the last step. 0 for none."),
    histograms_every: countOrZero
      .default(500)
      .describe("Steps between rows that have histograms, too; also the last step. 0 for none."),
    layers: z
      .array(z.number().int())
      .optional()
      .describe(
        "Decoder layers that have rows, from 0, those below 0 from the end: `[0, -1]`; without it, all. Embedding, head " +
          "and final norm always do.",
      ),
    activation_tokens: count.default(256).describe("Tokens of a batch whose activations are looked at."),
    outlier_sigma: z
      .number()
      .positive()
      .default(6)
      .describe("Root mean squares of a linear layer's input beyond which an activation is an outlier."),
    tensorboard: z.boolean().default(true).describe("Write event files that TensorBoard reads into the run's folder."),
  })
  .describe(
    "What is measured of each layer on the way: telemetry.jsonl, telemetry.arrow, TensorBoard. Changes no weight.",
  );

/** Parsed. */
export type TelemetryOptions = z.output<typeof telemetrySchema>;

/** How much is measured in one step. */
export interface TelemetryDetail {
  histograms: boolean;
  /** Undefined: all. */
  layers?: readonly number[];
  activationTokens: number;
  outlierSigma: number;
}

/** What is due at an update, from 1; null: nothing. */
export function dueTelemetry(options: TelemetryOptions, step: number, maxSteps: number): TelemetryDetail | null {
  const isDue = (every: number) => every > 0 && (step === maxSteps || step % every === 0);
  const histograms = isDue(options.histograms_every);
  if (!histograms && !isDue(options.every)) return null;
  const { layers, activation_tokens: activationTokens, outlier_sigma: outlierSigma } = options;
  return { histograms, layers, activationTokens, outlierSigma };
}

/** Answers whether a parameter or a product of that name has rows. */
export function layerSelection(
  layers: readonly number[] | undefined,
  numHiddenLayers: number,
): (name: string) => boolean {
  if (layers === undefined) return () => true;
  const chosen = new Set(layers.map((layer) => (layer < 0 ? layer + numHiddenLayers : layer)));
  return (name) => {
    const [, layer] = /^model\.layers\.(\d+)\./.exec(name) ?? [];
    return layer === undefined || chosen.has(Number(layer));
  };
}
