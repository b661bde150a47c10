/** The seeds of `--seed`. */
import { UserError } from "../../src/errors/user_error.ts";
import { defaultFewshotSeed } from "../../src/eval/prompt/few_shot.ts";
import type { Seeds } from "../../src/eval/report/results.ts";

export const defaultSeeds: Seeds = { random: 0, numpy: 1234, torch: 1234, fewshot: defaultFewshotSeed };

/** The text is neither one seed nor four. */
export class SeedError extends UserError {
  override name = "SeedError";
}

/**
 * One whole number for all, or four: random, numpy, torch, few-shot; absent ones at the end keep their defaults.
 * @throws {SeedError}
 */
export function parseSeeds(text: string): Seeds {
  const values = text.split(",").map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN));
  if (values.length > 4 || !values.every((value) => Number.isSafeInteger(value) && value < 2 ** 32)) {
    throw new SeedError(`expected one whole number below 2^32, or up to four with commas between, not "${text}"`);
  }
  if (values.length === 1) return { random: values[0], numpy: values[0], torch: values[0], fewshot: values[0] };
  const [random, numpy, torch, fewshot] = values;
  const given = { random, numpy, torch, fewshot };
  return Object.fromEntries(
    Object.entries(defaultSeeds).map(([name, value]) => [name, given[name as keyof Seeds] ?? value]),
  ) as unknown as Seeds;
}
