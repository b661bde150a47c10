/** Worker thread of {@link TokenizePool}: answers each job with its ids, whose memory it hands over. */
import { parentPort, workerData } from "node:worker_threads";
import type { DocumentPart } from "../../src/data/text_document.ts";
import { messageOf, UserError } from "../../src/errors/user_error.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import { type EncodedJob, encodeJob } from "./tokenize_job.ts";

export interface WorkerSetup {
  json: object;
  config: object | null;
  endOfText: number;
}

/** An error loses its class on the way: `stack` is there if it was none for people. */
export type WorkerAnswer = { job: EncodedJob } | { error: string; stack?: string };

const { json, config, endOfText } = workerData as WorkerSetup;
const tokenizer = loadTokenizer(json, config);

parentPort!.on("message", (parts: DocumentPart[]) => {
  try {
    const job = encodeJob(tokenizer, endOfText, parts);
    parentPort!.postMessage({ job } satisfies WorkerAnswer, [
      job.ids.buffer,
      job.lengths.buffer,
      job.byteCounts.buffer,
    ]);
  } catch (error) {
    const stack = error instanceof UserError ? undefined : (error as Error).stack;
    parentPort!.postMessage({ error: messageOf(error), stack } satisfies WorkerAnswer);
  }
});
