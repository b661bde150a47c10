/**
 * GPT-2's byte alphabet: every byte is written as one printable character, so that a byte-level vocabulary can be a
 * JSON object of strings. Printable Latin-1 bytes stand for themselves; the other 68 take U+0100, U+0101, ... in
 * order of their value (so a space is "Ġ", a newline "Ċ").
 *
 * Source: `bytes_to_unicode` of openai/gpt-2, encoder.py.
 */

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

function buildAlphabet(): string[] {
  const characters: string[] = [];
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    characters.push(String.fromCharCode(isPrintable(byte) ? byte : next++));
  }
  return characters;
}

/** Character of each byte. */
export const byteCharacters: readonly string[] = buildAlphabet();

const byteOfCharacter: ReadonlyMap<string, number> = new Map(
  byteCharacters.map((character, byte) => [character, byte]),
);

/** `bytes` written in the alphabet. */
export function bytesToCharacters(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byteCharacters[byte];
  return text;
}

/**
 * Bytes that a vocabulary entry stands for. An entry with a character outside the alphabet stands for its own UTF-8
 * bytes, as in Hugging Face's ByteLevel decoder.
 */
export function charactersToBytes(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = byteOfCharacter.get(token[i]);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes[i] = byte;
  }
  return bytes;
}

/** Name of a byte in vocabularies that fall back on bytes, SentencePiece's: `<0x0A>`. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}
