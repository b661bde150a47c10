/**
 * How the tokenizers of well-known models split text, in the order of their steps: each splits what the ones before it
 * left whole. Facts about those models, as llama.cpp has them compiled in (llama-vocab.cpp).
 */
import { gpt2Pattern } from "./split_pattern.ts";

const contraction = "'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
const afterWord = `(?:${contraction})?`;
const blanks = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const symbols = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*";
const word = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";

const upper = "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}";
const lower = "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}";
const before = "[^\\r\\n\\p{L}\\p{N}]?";
/** Words that begin in capitals and go on in small letters, with `end` behind each. */
const cased = (end: string): string => `${before}[${upper}]*[${lower}]+${end}|${before}[${upper}]+[${lower}]*${end}`;
const casedTail = ` ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${blanks}`;

const deepseekWords =
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|" +
  ` ?[\\p{P}\\p{S}]+[\\r\\n]*|${blanks}`;
const eastAsian = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
const falconSymbols = "[\\p{P}\\$\\+<=>\\^~\\|`]+";
const bloom = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+";
const threeDigits = "\\p{N}{1,3}";

const llama3 = `${contraction}|${word}|\\p{N}{1,3}|${symbols}|${blanks}`;
const qwen2 = `${contraction}|${word}|\\p{N}|${symbols}|${blanks}`;
const qwen35 = `${contraction}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${blanks}`;
const tekken = `${cased("")}|\\p{N}|${casedTail}`;
const gpt4o = `${cased(afterWord)}|\\p{N}{1,3}|${casedTail}`;
const seedCoder = `${contraction}|${word}|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${blanks}`;
const bailing = `${contraction}|${word}|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+`;

export const splits = {
  default: ["[\\p{P}\\$\\+<=>\\^~\\|]+", gpt2Pattern, "\\p{N}+", "[0-9][0-9][0-9]"],
  gpt2: [gpt2Pattern],
  llama3: [llama3],
  qwen2: [qwen2],
  qwen35: [qwen35],
  digits: ["\\p{N}", gpt2Pattern],
  falcon: [falconSymbols, gpt2Pattern, "[0-9][0-9][0-9]"],
  deepseekV3: [threeDigits, eastAsian, deepseekWords],
  deepseekCoder: ["[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", "\\p{N}"],
  tekken: [tekken],
  gpt4o: [gpt4o],
  seedCoder: [seedCoder],
  bailing: [bailing],
  bloom: [bloom],
  viking: [bloom, "\\p{N}"],
  superBpe: ["\\p{N}+", "(?=(\\d{3})+(?!\\d))"],
} as const satisfies Record<string, readonly string[]>;

/** Ways to write the same pattern, as one: possessive quantifiers, contractions in any case, escaped line breaks. */
function usualForm(pattern: string): string {
  return pattern
    .replace(/([?*+]|\{\d+(?:,\d*)?\})\+/g, "$1")
    .replaceAll("(?i:'s|'t|'re|'ve|'m|'ll|'d)", contraction)
    .replaceAll("'(?i:[sdmt]|ll|ve|re)", contraction)
    .replaceAll(`(?:${contraction})`, contraction)
    .replaceAll("\r", "\\r")
    .replaceAll("\n", "\\n")
    .replaceAll("\\p{N}{1}", "\\p{N}");
}

/** GPT-4's split, as tokenizers that come from tiktoken write it, and its relatives. */
const gpt4 = ["\\p{N}{1,3}", "\\p{N}"].flatMap((number) =>
  ["\\s*[\\r\\n]|\\s+(?!\\S)|\\s+", "\\s+$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s"].map(
    (end) => `${contraction}|${word}|${number}|${symbols}|${end}`,
  ),
);
const beginning = [gpt2Pattern, llama3, qwen2, qwen35, tekken, gpt4o, deepseekWords, seedCoder, bailing, ...gpt4];
const usual: ReadonlySet<string> = new Set(beginning.map(usualForm));

/**
 * True for patterns that begin a new piece at white space or a mark (other than the apostrophe) between two letters,
 * whatever is around.
 */
export function isKnownPattern(pattern: string): boolean {
  return usual.has(usualForm(pattern));
}
