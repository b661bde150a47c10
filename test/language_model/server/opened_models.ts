/** Models behind a scripted completions server, for tests of what it answers and of how it fails. */
import { afterAll, beforeAll, beforeEach } from "vitest";
import {
  openCompletionsModel,
  type ServerArguments,
} from "../../../src/language_model/server/open_completions_model.ts";
import { tinyTokenizer } from "../../eval/fake_language_model.ts";
import { CompletionsServer, logprobAfter } from "./completions_server.ts";

export const tokenizer = tinyTokenizer();

/** A server for the tests of a file, reset before each. */
export function scriptedServer() {
  const server = new CompletionsServer();
  const started = { url: "" };
  /** Pauses between repetitions, seconds. */
  const pauses: number[] = [];
  const notices: string[] = [];
  beforeAll(async () => {
    started.url = await server.start();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    server.reset();
    pauses.length = 0;
    notices.length = 0;
  });
  const open = (settings: Partial<ServerArguments> = {}) =>
    openCompletionsModel(started.url, { tokenizer: "", ...settings }, tokenizer, {
      onRetry: (message) => notices.push(message),
      wait: async (seconds) => {
        pauses.push(seconds);
      },
    });
  return { server, started, pauses, notices, open };
}

export const requests = [
  { context: [5, 6, 9], continuation: [7] },
  { context: [3], continuation: [4, 8, 30] },
  { context: [5, 6], continuation: [11, 2] },
  { context: [1, 2, 3, 4], continuation: [40] },
];

/** What the scripted server answers to a request. */
export function expected({ context, continuation }: (typeof requests)[number]) {
  const ids = [...context, ...continuation];
  const values = continuation.map((id, i) => logprobAfter(ids[context.length + i - 1], id));
  return {
    logprob: values.reduce((sum, value) => sum + value, 0),
    isGreedy: values.every((value) => value === -0.25),
    tokenLogprobs: Float32Array.from(values),
  };
}
