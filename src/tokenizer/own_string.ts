/**
 * A copy of `text` with its own memory. V8 represents a substring of 13 or more characters as a view that keeps the
 * whole parent alive: a long-lived cache of words cut from a corpus would otherwise hold the corpus.
 */
export function ownString(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, "utf16le").toString("utf16le");
}
