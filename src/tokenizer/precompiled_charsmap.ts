/**
 * SentencePiece's compiled normalization (`precompiled_charsmap`, base64): a double-array trie of what is replaced, and
 * the replacements.
 *
 *     u32 bytes of the trie | trie: u32 units | replacements, each ended by a NUL
 *
 * A unit holds: bits 0-7 its label (bit 31 marks a leaf, whose low 31 bits are the value), bit 8 that it has a leaf,
 * bits 10-30 the offset to its children (shifted by 8 if bit 9 is set). Source: the darts-clone library.
 */
import { TokenizerError } from "./tokenizer_json.ts";

const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const replacementOf = (unit: number): number => unit & 0x7fffffff;
const labelOf = (unit: number): number => unit & 0x800000ff;
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const asciiOnly = /^[\x20-\x7e]*$/;

/** @throws {TokenizerError} if the map is damaged. */
export function compileCharsmap(base64: string): (text: string) => string {
  const bytes = Buffer.from(base64, "base64");
  const trieBytes = bytes.length >= 4 ? bytes.readUInt32LE(0) : 0;
  if (trieBytes === 0 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) {
    throw new TokenizerError("the tokenizer's precompiled_charsmap is damaged");
  }
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  const replacements = bytes.subarray(4 + trieBytes);

  /** Replacement of the shortest entry that `key` begins with; null if there is none. */
  const find = (key: string): string | null => {
    let node = offsetOf(units[0]);
    for (const byte of Buffer.from(key)) {
      if (byte === 0) return null;
      node = (node ^ byte) >>> 0;
      const unit = units[node] ?? 0;
      if (labelOf(unit) >>> 0 !== byte) return null;
      node = (node ^ offsetOf(unit)) >>> 0;
      if (!hasLeaf(unit)) continue;
      const start = replacementOf(units[node] ?? 0);
      const end = replacements.indexOf(0, start);
      return replacements.toString("utf8", start, end < 0 ? replacements.length : end);
    }
    return null;
  };
  const known = new Map<string, string>();
  const normalizeGrapheme = (grapheme: string): string => {
    // As in the original: a short cluster is looked up whole, and otherwise character by character.
    const whole = Buffer.byteLength(grapheme) < 6 ? find(grapheme) : null;
    return whole ?? Array.from(grapheme, (character) => find(character) ?? character).join("");
  };
  const normalizeCluster = (grapheme: string): string => {
    let normalized = known.get(grapheme);
    if (normalized === undefined) {
      normalized = normalizeGrapheme(grapheme);
      if (known.size < 1 << 16) known.set(grapheme, normalized);
    }
    return normalized;
  };
  const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
  const keepsAscii = ascii.every((character) => normalizeCluster(character) === character);
  return (text) => {
    if (keepsAscii && asciiOnly.test(text)) return text;
    let normalized = "";
    for (const { segment } of segmenter.segment(text)) normalized += normalizeCluster(segment);
    return normalized;
  };
}
