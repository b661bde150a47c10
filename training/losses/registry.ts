/** Section `loss` and its terms. A new one is a file beside this one, a key and a line of the list. */
import { z } from "zod";
import { nonnegative } from "../config/numbers.ts";
import { distillationSchema, distillationTerm } from "./distillation.ts";
import type { LossBatch, LossTerm } from "./loss_term.ts";
import { zLossSchema, zLossTerm } from "./z_loss.ts";

export const lossSchema = z
  .strictObject({
    reduction: z
      .enum(["mean", "sum"])
      .default("mean")
      .describe(
        "`mean` over the tokens of a batch and the batches of an update, or `sum` over all tokens of the update: " +
          "gradients, `max_grad_norm` and `grad_norm` are then as many times larger. Losses in metrics stay nats per token.",
      ),
    cross_entropy: nonnegative
      .default(1)
      .describe("Factor of the cross-entropy with the data; 0 learns from the teacher alone."),
    z_loss: zLossSchema,
    distillation: distillationSchema,
  })
  .describe("What a step descends.");

export type LossOptions = z.output<typeof lossSchema>;

/** Cross-entropy alone, as a mean. */
export const defaultLoss: LossOptions = lossSchema.parse({});

/** The terms beside cross-entropy that the options ask for, each made of a batch. A new one is a line here. */
function askedTerms({ z_loss, distillation }: LossOptions): ((batch: LossBatch) => LossTerm)[] {
  return [
    ...(z_loss > 0 ? [() => zLossTerm(z_loss)] : []),
    ...(distillation !== undefined
      ? [
          ({ teacher }: LossBatch) => {
            if (teacher === undefined) throw new Error("the batch has no teacher's scores");
            return distillationTerm(distillation, teacher);
          },
        ]
      : []),
  ];
}

/** True if cross-entropy is alone: the fused head computes it. */
export function isPlain(options: LossOptions): boolean {
  return askedTerms(options).length === 0;
}

/** Fused ops that the loss runs, where the backend has them. */
export function lossKernels(options: LossOptions): readonly string[] {
  return [isPlain(options) ? "HeadLogProbsGrad" : "HeadLogits"];
}

export function lossTerms(options: LossOptions, batch: LossBatch): LossTerm[] {
  return askedTerms(options).map((make) => make(batch));
}
