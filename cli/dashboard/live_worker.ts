/** Entry of the thread that serves the live page: a step of training never holds a page up, nor a page a step. */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf, UserError } from "../../src/errors/user_error.ts";
import type { MetricPoint } from "../../src/report/run/run_data.ts";
import { livePage } from "./live_page.ts";
import { type LiveFacts, type LiveMessage, LiveRun } from "./live_run.ts";
import { LiveServer } from "./live_server.ts";

export interface LiveSetup {
  port: number;
  facts: LiveFacts;
  /** Of the run so far. */
  rows: readonly MetricPoint[];
}

/** First where it listens, or why it does not. */
export type LiveAnswer = { port: number } | { error: string; stack?: string };

const { port: wanted, facts, rows } = workerData as LiveSetup;
const port = parentPort!;
try {
  const server = new LiveServer(new LiveRun(facts, rows), livePage(facts.name));
  port.postMessage({ port: await server.listen(wanted) } satisfies LiveAnswer);
  port.on("message", (message: LiveMessage) => {
    server.hear(message);
    if (message.type === "end") void server.close().then(() => port.close());
  });
} catch (error) {
  const stack = error instanceof UserError ? undefined : (error as Error).stack;
  port.postMessage({ error: messageOf(error), stack } satisfies LiveAnswer);
}
