/** What the Hub says of a file's content: the SHA-256 of large files, and git's hash of the others. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

/** SHA-256 or git's SHA-1 in hexadecimal digits. */
export const hubHash = /^(?:[0-9a-f]{64}|[0-9a-f]{40})$/;

/** Whether the content of `file` has this hash. */
export async function hasHubHash(file: string, expected: string): Promise<boolean> {
  const isGit = expected.length === 40;
  const hash = createHash(isGit ? "sha1" : "sha256");
  if (isGit) hash.update(`blob ${(await stat(file)).size}\0`);
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex") === expected;
}
