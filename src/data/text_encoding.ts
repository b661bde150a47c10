/** What a text that is not UTF-8 may be instead, for the hint that an error ends in. */

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

/** Single bytes above 127 between ASCII letters are Western European; long runs of them are another script. */
function narrowEncoding(bytes: Uint8Array): string | undefined {
  let high = 0;
  let alone = 0;
  let isWindows = false;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] < 0x80) continue;
    high++;
    if (bytes[i] < 0xa0) isWindows = true;
    if (!(bytes[i - 1] >= 0x80) && !(bytes[i + 1] >= 0x80)) alone++;
  }
  if (high === 0) return undefined;
  if (alone < 0.7 * high) return "";
  return isWindows ? "windows-1252" : "latin1";
}

/**
 * What to type to make UTF-8 of `file`, judged by some of its bytes.
 * @param bytes around the first fault, or from the beginning
 */
export function encodingHint(bytes: Uint8Array, file: string): string {
  const encoding = encodingOfMark(bytes) ?? wideEncoding(bytes) ?? narrowEncoding(bytes);
  if (encoding === undefined) return "not a text file";
  if (encoding === "") return `say what it is: iconv -f gb18030 (shift_jis, euc-kr, windows-1251 ...) -t utf-8 ${file}`;
  const from = encoding.startsWith("utf-") && encodingOfMark(bytes) ? encoding.slice(0, 6) : encoding;
  return `it looks like ${encoding}: iconv -f ${from} -t utf-8 ${file} > NEW`;
}
