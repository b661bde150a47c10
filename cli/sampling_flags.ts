/** The flags that say how tokens are drawn, the same in every command that generates. */
import type { InferredOptionTypes } from "yargs";
import type { SamplingOptions } from "../src/language_model/sampling.ts";
import { checkInteger, UsageError } from "./command.ts";

export const samplingFlags = {
  temperature: { type: "number", default: 0.8, describe: "0: the likeliest token each time" },
  "top-k": { type: "number", describe: "Only the K likeliest tokens [default: all]" },
  "top-p": { type: "number", describe: "Only the likeliest tokens that add up to probability P [default: all]" },
  "min-p": {
    type: "number",
    describe: "Only tokens at least P times as probable as the likeliest [default: all]",
  },
  seed: { type: "number", describe: "The same seed gives the same text [default: drawn, and printed]" },
} as const;

/**
 * The checked flags, with a seed drawn if none is given.
 * @throws {UsageError} naming the flag that is out of range.
 */
export function samplingOptions(flags: InferredOptionTypes<typeof samplingFlags>): Required<SamplingOptions> {
  const { temperature, seed = Math.floor(Math.random() * 2 ** 31) } = flags;
  const [topK = 0, topP = 1, minP = 0] = [flags["top-k"], flags["top-p"], flags["min-p"]];
  checkInteger("top-k", flags["top-k"], 1);
  checkInteger("seed", flags.seed, 0);
  if (!(temperature >= 0)) throw new UsageError(`--temperature must be a number from 0, not ${temperature}`);
  if (!(topP > 0 && topP <= 1)) throw new UsageError(`--top-p must be above 0 and at most 1, not ${topP}`);
  if (!(minP >= 0 && minP <= 1)) throw new UsageError(`--min-p must be from 0 to 1, not ${minP}`);
  return { temperature, topK, topP, minP, seed };
}
