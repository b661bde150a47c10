/** Worker thread of {@link TokenizePool}: answers each job with its ids, whose memory it hands over. */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../src/data/data_error.ts";
import type { DocumentPart } from "../../src/data/text_document.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import { type EncodedJob, encodeJob } from "./tokenize_job.ts";

export interface WorkerSetup {
  json: object;
  config: object | null;
  endOfText: number;
}

export type WorkerAnswer = { job: EncodedJob } | { error: string };

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
    parentPort!.postMessage({ error: messageOf(error) } satisfies WorkerAnswer);
  }
});
