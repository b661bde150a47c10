/** What a text that is not UTF-8, or has zero bytes, may be instead: the hint that an error ends in. */

const boms: readonly (readonly [encoding: string, bytes: readonly number[]])[] = [
  ["utf-32le", [0xff, 0xfe, 0, 0]],
  ["utf-32be", [0, 0, 0xfe, 0xff]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

/** Encoding that a byte order mark other than UTF-8's tells. */
export function encodingOfMark(head: Uint8Array): string | undefined {
  return boms.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte))?.[0];
}

/** True if `bytes` of an even length, read in units of 16 bits, are nearly all letters of one wide script or ASCII. */
function looksLikeUtf16(bytes: Uint8Array, isLittle: boolean): boolean {
  let likely = 0;
  const units = bytes.length >> 1;
  for (let i = 0; i < units; i++) {
    const unit = isLittle ? bytes[2 * i] | (bytes[2 * i + 1] << 8) : (bytes[2 * i] << 8) | bytes[2 * i + 1];
    const isAscii = unit === 9 || unit === 10 || unit === 13 || (unit >= 0x20 && unit < 0x7f);
    const isLetter =
      (unit >= 0xa0 && unit < 0x600) || (unit >= 0x3000 && unit < 0xa000) || (unit >= 0xac00 && unit < 0xd7a4);
    if (isAscii || isLetter) likely++;
  }
  return units >= 8 && likely >= 0.95 * units;
}

/** Encoding with wide units, by where the zero bytes are; undefined if it is none. */
function wideEncoding(head: Uint8Array): string | undefined {
  const zeros = [0, 0, 0, 0];
  const end = head.length - (head.length % 4);
  for (let i = 0; i < end; i++) if (head[i] === 0) zeros[i % 4]++;
  const [a, b, c, d] = zeros.map((count) => count > 0.9 * (end / 4));
  if (end >= 16 && b && c && d && !a) return "utf-32le";
  if (end >= 16 && a && b && c && !d) return "utf-32be";
  const even = head.subarray(0, head.length - (head.length % 2));
  if (looksLikeUtf16(even, true)) return "utf-16le";
  if (looksLikeUtf16(even, false)) return "utf-16be";
  return undefined;
}

/** Bytes that windows-1252 does not have. */
const notWindows: ReadonlySet<number> = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);

/** Single bytes above 127 between ASCII letters are Western European; long runs of them are another script. */
function narrowEncoding(bytes: Uint8Array): string | undefined {
  let high = 0;
  let alone = 0;
  let isWindows = false;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] < 0x80) continue;
    high++;
    if (notWindows.has(bytes[i])) return undefined;
    if (bytes[i] < 0xa0) isWindows = true;
    if (!(bytes[i - 1] >= 0x80) && !(bytes[i + 1] >= 0x80)) alone++;
  }
  if (alone < 0.7 * high) return undefined;
  return isWindows ? "windows-1252" : "latin1";
}

/** What the bytes are when they are read as UTF-8: numbers of characters. */
function countCharacters(bytes: Uint8Array) {
  const text = Buffer.from(bytes).toString("utf8");
  const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
  return {
    all: text.length,
    zeros: count(/\0/g),
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells a text from other bytes
    controls: count(/[\x01-\x08\x0e-\x1a\x1c-\x1f]/g),
    bad: count(/\ufffd/g),
    beyondAscii: count(/[^\0-\x7f\ufffd]/g),
  };
}

function withoutZerosAtEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

export interface TextFault {
  /** Some bytes of the file with the fault in them, or its beginning. */
  bytes: Uint8Array;
  /** The fault is a zero byte: `last` if all after it are, as far as they were read. */
  zero?: "within" | "last";
}

/** What to type to make UTF-8 text of `file`; an encoding is named only where the bytes are likely in it. */
export function encodingHint(file: string, { bytes, zero }: TextFault): string {
  const mark = encodingOfMark(bytes);
  if (mark !== undefined) return `it looks like ${mark}: iconv -f ${mark.slice(0, 6)} -t utf-8 ${file} > NEW`;
  const { all, zeros, controls, bad, beyondAscii } = countCharacters(withoutZerosAtEnd(bytes));
  // Wide units of letters hold zeros or control characters: of ASCII text alone any two bytes make a Chinese character.
  const isUtf8 = zeros < 0.3 * all && controls <= 0.01 * all && 4 * bad <= beyondAscii;
  const wide = isUtf8 || zeros + controls < 0.01 * all ? undefined : wideEncoding(bytes);
  if (wide !== undefined) return `it looks like ${wide}: iconv -f ${wide} -t utf-8 ${file} > NEW`;
  if (controls > 0.01 * all) return "not a text file";
  if (zero === "last") return `all that follow are, as a crash leaves them: cut them: tr -d '\\0' < ${file} > NEW`;
  if (zero === "within") return `cut it (tr -d '\\0' < ${file} > NEW) or end lines with it (tr '\\0' '\\n')`;
  if (isUtf8) return `the text around it is UTF-8: cut what is not: iconv -c -f utf-8 -t utf-8 ${file} > NEW`;
  const narrow = narrowEncoding(bytes);
  if (narrow !== undefined) return `it looks like ${narrow}: iconv -f ${narrow} -t utf-8 ${file} > NEW`;
  return `say what it is: iconv -f gb18030 (shift_jis, euc-kr, windows-1251 ...) -t utf-8 ${file}`;
}
