/**
 * Descriptions of quantizers in saved tfjs models. When tfjs loads a model it changes the case of every text and key that
 * has an underscore ("absmax_int4" becomes "absmaxInt4"), so a description is saved as one text without any.
 */
import type { QuantizerDescription } from "../quantizers/registry.ts";

/** Stands for an underscore; no name, option or number has it. */
const stand = "~";

/** What `getConfig` writes. */
export function savedDescription(description: QuantizerDescription): string {
  return JSON.stringify(description).replaceAll("_", stand);
}

/** The description that was saved, or given as it is. */
export function readDescription(given: QuantizerDescription): QuantizerDescription {
  const isSaved = typeof given === "string" && /^["{]/.test(given);
  return isSaved ? (JSON.parse(given.replaceAll(stand, "_")) as QuantizerDescription) : given;
}
