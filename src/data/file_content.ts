/** What a file is by its first bytes, where it is not what its name says: an archive, a program, a page, a pointer. */
import { readHead } from "./compression.ts";

type Test = (head: Buffer, text: string) => boolean;

const startsWith =
  (...bytes: number[]): Test =>
  (head) =>
    bytes.every((byte, i) => head[i] === byte);
const startsWithText =
  (...beginnings: string[]): Test =>
  (_, text) =>
    beginnings.some((beginning) => text.startsWith(beginning));

/** Stands for a file that is elsewhere. */
const pointers: readonly (readonly [what: string, test: Test])[] = [
  [
    "a Git LFS pointer, not the file itself: git lfs pull fetches it",
    startsWithText("version https://git-lfs.github.com/", "version https://hawser.github.com/"),
  ],
  ["a Xet pointer, not the file itself: git xet or the Hub fetches it", startsWithText("# xet version")],
  [
    "a git-annex pointer, not the file itself: git annex get fetches it",
    (_, text) => /^[./]*(?:\.git)?\/annex\/objects\/\S+\s*$/.test(text),
  ],
  ["a DVC pointer, not the file itself: dvc pull fetches it", (_, text) => /^outs:\s*\n- md5: [0-9a-f]{32}/.test(text)],
];

/** Not text, and not what any reader here reads. */
const binaries: readonly (readonly [what: string, test: Test])[] = [
  ["gzipped", startsWith(0x1f, 0x8b)],
  ["packed with Zstandard", startsWith(0x28, 0xb5, 0x2f, 0xfd)],
  [
    "packed with bzip2: bunzip2 unpacks it",
    (head) => head.subarray(0, 3).toString("latin1") === "BZh" && head[4] === 0x31,
  ],
  ["packed with xz: unxz unpacks it", startsWith(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)],
  ["packed with LZ4: unlz4 unpacks it", startsWith(0x04, 0x22, 0x4d, 0x18)],
  ["a 7-Zip archive: 7z x unpacks it", startsWith(0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c)],
  ["a ZIP archive (or an office document): unzip unpacks it", startsWith(0x50, 0x4b, 3, 4)],
  ["a Parquet file", startsWith(...Buffer.from("PAR1"))],
  ["an Arrow file", startsWith(...Buffer.from("ARROW1"))],
  ["a Feather file of version 1: write it anew as version 2", startsWith(...Buffer.from("FEA1"))],
  ["a PDF document", startsWith(...Buffer.from("%PDF-"))],
  ["an SQLite database", startsWith(...Buffer.from("SQLite format 3\0"))],
  ["an HDF5 file", startsWith(0x89, 0x48, 0x44, 0x46)],
  ["a GGUF file", startsWith(...Buffer.from("GGUF"))],
  ["a NumPy array", startsWith(0x93, ...Buffer.from("NUMPY"))],
  ["a PNG picture", startsWith(0x89, 0x50, 0x4e, 0x47)],
  ["a JPEG picture", startsWith(0xff, 0xd8, 0xff)],
  ["a program", startsWith(0x7f, 0x45, 0x4c, 0x46)],
];

const page: Test = (_, text) => /^\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|head|body|error\b)/i.test(text);

const find = (kinds: readonly (readonly [string, Test])[], head: Buffer, text: string) =>
  kinds.find(([, test]) => test(head, text))?.[0];

/** What `head` is instead of text: `a Git LFS pointer, ...`, `a PDF document`; undefined if it may be text. */
export function notText(head: Buffer): string | undefined {
  const text = head.subarray(0, 512).toString("latin1");
  return find(pointers, head, text) ?? find(binaries, head, text);
}

/** The same of rows: a web page may be a text, but holds no rows. */
export function notRows(head: Buffer): string | undefined {
  const text = head.subarray(0, 512).toString("latin1");
  if (page(head, text)) return "a web page (perhaps an error message that was saved instead of the file)";
  return find(pointers, head, text) ?? find(binaries, head, text);
}

/** Why `file` is no file of `kind` ("Parquet"), as far as its beginning tells; undefined if it does not. */
export async function contentRemark(file: string, kind: string): Promise<string | undefined> {
  const head = await readHead(file).catch(() => Buffer.alloc(0));
  if (head.length === 0) return "it is empty";
  const what = notRows(head);
  return what === undefined || what.includes(kind) ? undefined : `it is ${what}`;
}
