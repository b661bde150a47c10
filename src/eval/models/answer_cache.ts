/**
 * Answers of language models on disk, so that an interrupted evaluation goes on where it was (`--use_cache FILE`).
 *
 * One JSON value a line; the first line says what the file is, each other line is one answer:
 *
 *     {"bitnet_eval_cache":1}
 *     ["<key>",[-4.25,false,"<base64 of float32 log-probabilities, little-endian>"]]     a log-likelihood
 *     ["<key>"," It is 7."]                                                              a generated text
 *
 * A key is the hash of the model's identity and the whole request. Lines are only appended, each with one write, so a
 * process that is killed loses at most the answers that it had not finished; a last line that was cut is dropped.
 */
import { createHash } from "node:crypto";
import { closeSync, createReadStream, existsSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { UserError } from "../../errors/user_error.ts";
import type { LoglikelihoodResult } from "../../language_model/language_model.ts";

const header = '{"bitnet_eval_cache":1}';

/** The file is not a cache of answers. */
export class AnswerCacheError extends UserError {
  override name = "AnswerCacheError";
}

export type CachedAnswer = LoglikelihoodResult | string;

/** 128 bits of SHA-256: the key of `request` to the model of that identity. */
export function answerKey(identity: string, request: unknown): string {
  return createHash("sha256")
    .update(identity)
    .update("\0")
    .update(JSON.stringify(request))
    .digest("base64url")
    .slice(0, 22);
}

function encodeAnswer(answer: CachedAnswer): unknown {
  if (typeof answer === "string") return answer;
  const { buffer, byteOffset, byteLength } = answer.tokenLogprobs;
  return [answer.logprob, answer.isGreedy, Buffer.from(buffer, byteOffset, byteLength).toString("base64")];
}

/** @throws if `value` is not what {@link encodeAnswer} makes. */
function decodeAnswer(value: unknown): CachedAnswer {
  if (typeof value === "string") return value;
  const [logprob, isGreedy, encoded] = value as [unknown, unknown, unknown];
  if (typeof logprob !== "number" || typeof isGreedy !== "boolean" || typeof encoded !== "string") throw new Error();
  const bytes = Uint8Array.from(Buffer.from(encoded, "base64"));
  return { logprob, isGreedy, tokenLogprobs: new Float32Array(bytes.buffer) };
}

export class AnswerCache {
  readonly file: string;
  /** What was wrong with the file, in words: lines that were dropped. */
  readonly warnings: readonly string[];
  private readonly answers: Map<string, CachedAnswer>;
  private handle: number | null;

  private constructor(file: string, handle: number, answers: Map<string, CachedAnswer>, warnings: string[]) {
    this.file = file;
    this.handle = handle;
    this.answers = answers;
    this.warnings = warnings;
  }

  /**
   * Opens the cache, or begins it.
   * @throws {AnswerCacheError} if the file is something else; it is left as it is.
   */
  static async open(file: string): Promise<AnswerCache> {
    const answers = new Map<string, CachedAnswer>();
    const warnings: string[] = [];
    const isNew = !existsSync(file);
    if (!isNew && statSync(file).isDirectory()) throw new AnswerCacheError(`${file} is a folder, not a cache`);
    const { kept, cut } = isNew ? { kept: 0, cut: 0 } : await readAnswers(file, answers, warnings);
    const handle = openSync(file, "a");
    if (cut > 0) {
      ftruncateSync(handle, kept);
      warnings.push(`${file}: the last line was cut off (${cut} bytes dropped)`);
    }
    if (kept === 0) writeSync(handle, `${header}\n`);
    return new AnswerCache(file, handle, answers, warnings);
  }

  /** Answers in the cache. */
  get size(): number {
    return this.answers.size;
  }

  get(key: string): CachedAnswer | undefined {
    return this.answers.get(key);
  }

  /** Keeps an answer: it is in the file when this returns. @throws system errors (the disk is full). */
  add(key: string, answer: CachedAnswer): void {
    if (this.handle === null || this.answers.has(key)) return;
    const line = Buffer.from(`${JSON.stringify([key, encodeAnswer(answer)])}\n`);
    try {
      for (let done = 0; done < line.length; ) done += writeSync(this.handle, line, done);
    } catch (error) {
      throw Object.assign(error as NodeJS.ErrnoException, { path: this.file });
    }
    this.answers.set(key, answer);
  }

  close(): void {
    if (this.handle !== null) closeSync(this.handle);
    this.handle = null;
  }
}

/** Reads all lines; `kept` is where the last whole line ends, `cut` the number of bytes after it. */
async function readAnswers(
  file: string,
  answers: Map<string, CachedAnswer>,
  warnings: string[],
): Promise<{ kept: number; cut: number }> {
  let rest = Buffer.alloc(0);
  let kept = 0;
  let lineNumber = 0;
  const broken: number[] = [];
  const takeLine = (line: string) => {
    lineNumber++;
    if (lineNumber === 1) {
      if (line !== header) throw new AnswerCacheError(`${file} is not a cache of bitnet-eval: choose another file`);
      return;
    }
    try {
      const [key, value] = JSON.parse(line) as [string, unknown];
      if (typeof key !== "string") throw new Error();
      answers.set(key, decodeAnswer(value));
    } catch {
      broken.push(lineNumber);
    }
  };
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let begin = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, begin)) {
      takeLine(bytes.toString("utf8", begin, end));
      begin = end + 1;
    }
    kept += begin;
    rest = Buffer.from(bytes.subarray(begin));
    // Not a cache at all: do not read a large file to its end.
    if (lineNumber === 0 && rest.length > header.length) takeLine(rest.toString("utf8"));
  }
  if (lineNumber === 0 && rest.length > 0 && !header.startsWith(rest.toString("utf8"))) takeLine(rest.toString("utf8"));
  if (broken.length > 0) {
    const others = broken.length > 1 ? ` and ${broken.length - 1} more of its lines` : "";
    warnings.push(`${file}:${broken[0]}${others}: not an answer, ignored`);
  }
  return { kept, cut: rest.length };
}
