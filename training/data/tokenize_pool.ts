/**
 * Tokenizes document parts in worker threads. Results come back in the order of the input whatever the number of
 * workers; only a few jobs per worker are in flight, so a slow consumer holds the readers back.
 */
import { Worker } from "node:worker_threads";
import { DataError } from "../../src/data/data_error.ts";
import type { DocumentPart } from "../../src/data/text_document.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { type EncodedJob, encodeJob } from "./tokenize_job.ts";
import type { WorkerAnswer, WorkerSetup } from "./tokenize_worker.ts";

/** Characters in a job: a millisecond of messaging against tens of milliseconds of work. */
const jobLength = 1 << 19;
const jobsPerWorker = 2;

export interface TokenizedParts extends EncodedJob {
  parts: DocumentPart[];
}

async function* groupParts(parts: AsyncIterable<DocumentPart>): AsyncGenerator<DocumentPart[]> {
  let group: DocumentPart[] = [];
  let length = 0;
  for await (const part of parts) {
    group.push(part);
    // A part costs something besides its characters: a million empty ones must not become one job.
    length += part.text.length + 64;
    if (length < jobLength) continue;
    yield group;
    group = [];
    length = 0;
  }
  if (group.length > 0) yield group;
}

/** Starts the worker from the compiled file or, where this module itself runs as TypeScript, from its source. */
function startWorker(setup: WorkerSetup): Worker {
  const entry = import.meta.url.endsWith(".ts") ? "./tokenize_worker_from_source.mjs" : "./tokenize_worker.js";
  return new Worker(new URL(entry, import.meta.url), { workerData: setup });
}

function workerError({ error, stack }: Extract<WorkerAnswer, { error: string }>): Error {
  if (stack === undefined) return new DataError(`tokenizing failed: ${error}`);
  return Object.assign(new Error(`tokenizing failed: ${error}`), { stack });
}

class TokenizeWorker {
  private readonly worker: Worker;
  /** Jobs that the worker has not answered yet; it answers in order. */
  private readonly waiting: { resolve: (job: EncodedJob) => void; reject: (error: Error) => void }[] = [];
  private failure: Error | undefined;

  constructor(setup: WorkerSetup) {
    this.worker = startWorker(setup);
    this.worker.on("message", (answer: WorkerAnswer) => {
      const { resolve, reject } = this.waiting.shift()!;
      if ("job" in answer) resolve(answer.job);
      else reject(workerError(answer));
    });
    this.worker.on("error", (error) => this.fail(error));
    this.worker.on("exit", () => this.fail(new Error("a tokenizing thread ended early")));
  }

  get pending(): number {
    return this.waiting.length;
  }

  run(parts: DocumentPart[]): Promise<EncodedJob> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.worker.postMessage(parts);
    });
  }

  async stop(): Promise<void> {
    await this.worker.terminate();
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
  }
}

/**
 * Ids of `parts`, in order.
 * @param workers number of threads; 0 works in this thread.
 */
export async function* tokenizeParts(
  tokenizer: Tokenizer,
  endOfText: number,
  parts: AsyncIterable<DocumentPart>,
  workers: number,
): AsyncGenerator<TokenizedParts> {
  if (workers === 0) {
    for await (const group of groupParts(parts)) yield { parts: group, ...encodeJob(tokenizer, endOfText, group) };
    return;
  }
  const setup: WorkerSetup = { json: tokenizer.json, config: tokenizer.config, endOfText };
  const pool = Array.from({ length: workers }, () => new TokenizeWorker(setup));
  const inFlight: Promise<TokenizedParts>[] = [];
  try {
    for await (const group of groupParts(parts)) {
      const worker = pool.reduce((least, other) => (other.pending < least.pending ? other : least));
      const result = worker.run(group).then((job) => ({ parts: group, ...job }));
      // A failure is reported when its turn comes; until then it must not count as unhandled.
      result.catch(() => {});
      inFlight.push(result);
      if (inFlight.length >= workers * jobsPerWorker) yield await inFlight.shift()!;
    }
    while (inFlight.length > 0) yield await inFlight.shift()!;
  } finally {
    await Promise.all(pool.map((worker) => worker.stop()));
  }
}
