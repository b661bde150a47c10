/**
 * Document parts as the readers make them, cut anew where the tokenizer proves it to be safe: the ids of the parts are
 * then those of the document, however long it is.
 */
import { type DocumentPart, partLength } from "../../src/data/text_document.ts";
import type { SafeCut } from "../../src/tokenizer/tokenizer.ts";

/** A stretch as long as this without a safe place is cut all the same: it has to fit into memory. */
const longestPart = 1 << 23;

export interface RecutOptions {
  /** Characters of a part, about. */
  length?: number;
  /** Characters that a part has at most. */
  longest?: number;
  /** Hears of each cut at a place that is not proved to be safe. */
  onForcedCut?: () => void;
}

/** Place of a cut near `length`, looking at places from `from` on; -1 if none is safe. */
function findCut(text: string, length: number, from: number, isSafe: SafeCut): number {
  for (let i = length; i >= from && i > length / 2; i--) if (isSafe(text, i)) return i;
  // The last place is judged when what comes after it is there.
  for (let i = Math.max(length + 1, from); i < text.length - 1; i++) if (isSafe(text, i)) return i;
  return -1;
}

function forcedCut(text: string, length: number): number {
  const isLowSurrogate = (text.charCodeAt(length) & 0xfc00) === 0xdc00;
  return isLowSurrogate ? length - 1 : length;
}

/**
 * The same documents in parts that begin and end at safe places.
 * @param isSafe the tokenizer's; null: no place is.
 */
export async function* recutParts(
  parts: AsyncIterable<DocumentPart>,
  isSafe: SafeCut | null,
  { length = partLength, longest = longestPart, onForcedCut }: RecutOptions = {},
): AsyncGenerator<DocumentPart> {
  let rest = "";
  let first = true;
  // No place before this one is safe.
  let seen = 0;
  for await (const part of parts) {
    if (part.first) first = true;
    rest = rest === "" ? part.text : rest + part.text;
    while (rest.length > 2 * length) {
      let cut = isSafe ? findCut(rest, length, seen, isSafe) : -1;
      if (cut < 0 && rest.length > longest) {
        cut = forcedCut(rest, longest);
        onForcedCut?.();
      }
      if (cut < 0) break;
      yield { text: rest.slice(0, cut), first, last: false };
      rest = rest.slice(cut);
      first = false;
      seen = 0;
    }
    if (part.last) {
      yield { text: rest, first, last: true };
      rest = "";
    }
    seen = rest.length > 2 * length ? rest.length - 1 : 0;
  }
}
