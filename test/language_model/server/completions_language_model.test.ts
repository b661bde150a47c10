/** Models behind completions servers: scores, texts, and every way in which a server can fail. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AnswerCache } from "../../../src/eval/models/answer_cache.ts";
import { CachedLanguageModel } from "../../../src/eval/models/cached_language_model.ts";
import {
  openCompletionsModel,
  parseServerArguments,
  type ServerArguments,
} from "../../../src/language_model/server/open_completions_model.ts";
import { loadTokenizer } from "../../../src/tokenizer/load_tokenizer.ts";
import { tinyTokenizer } from "../../eval/fake_language_model.ts";
import {
  CompletionsServer,
  echoAnswer,
  echoedTextAnswer,
  forcedAnswer,
  logprobAfter,
  nextTokenAnswer,
  sendJson,
} from "./completions_server.ts";

const server = new CompletionsServer();
const tokenizer = tinyTokenizer();
let url: string;
/** Pauses between repetitions, seconds. */
const pauses: number[] = [];
const notices: string[] = [];
beforeAll(async () => {
  url = await server.start();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.reset();
  pauses.length = 0;
  notices.length = 0;
});

const open = (settings: Partial<ServerArguments> = {}) =>
  openCompletionsModel(url, { tokenizer: "", ...settings }, tokenizer, {
    onRetry: (message) => notices.push(message),
    wait: async (seconds) => {
      pauses.push(seconds);
    },
  });

const requests = [
  { context: [5, 6, 9], continuation: [7] },
  { context: [3], continuation: [4, 8, 30] },
  { context: [5, 6], continuation: [11, 2] },
  { context: [1, 2, 3, 4], continuation: [40] },
];

function expected({ context, continuation }: (typeof requests)[number]) {
  const ids = [...context, ...continuation];
  const values = continuation.map((id, i) => logprobAfter(ids[context.length + i - 1], id));
  return {
    logprob: values.reduce((sum, value) => sum + value, 0),
    isGreedy: values.every((value) => value === -0.25),
    tokenLogprobs: Float32Array.from(values),
  };
}

describe("log-likelihoods", () => {
  test.each([
    [1, 1],
    [3, 2],
    [2, 4],
  ])("with echo, batches of %d, %d at a time", async (batchSize, concurrency) => {
    const model = await open({ batchSize, concurrency });
    expect(await model.loglikelihood(requests)).toEqual(requests.map(expected));
    expect(server.bodies).toHaveLength(Math.ceil(4 / batchSize));
    expect(server.bodies[0]).toMatchObject({ model: "small", echo: true, logprobs: 1, max_tokens: 1, temperature: 0 });
  });

  test("from llama.cpp's server, token by token", async () => {
    server.models = { data: [{ id: "m.gguf", owned_by: "llamacpp" }] };
    server.reply = forcedAnswer;
    const model = await open();
    expect(await model.loglikelihood(requests)).toEqual(requests.map(expected));
    // Two to see that the bias is left out, then one for each token.
    expect(server.bodies).toHaveLength(2 + 7);
    expect(server.bodies.at(-1)).toMatchObject({ max_tokens: 1, logit_bias: expect.anything() });
  });

  test("of a part of a character, of which llama.cpp's server tells nothing, come from the list of all tokens", async () => {
    server.models = { data: [{ id: "m.gguf", owned_by: "llamacpp" }] };
    const part = 30;
    server.reply = (body, response, request) => {
      const { prompt, logit_bias, logprobs: listed } = body;
      if (Object.keys(logit_bias!)[0] === String(part)) {
        return sendJson(response, { choices: [{ text: "", index: 0, logprobs: null, finish_reason: "length" }] });
      }
      if (listed === 1) return forcedAnswer(body, response, request);
      const all = Array.from({ length: listed! }, (_, id) => ({
        id,
        logprob: logprobAfter((prompt as number[]).at(-1)!, id),
      }));
      all.sort((a, b) => b.logprob - a.logprob);
      sendJson(response, { choices: [{ text: "a", logprobs: { content: [{ ...all[5], top_logprobs: all }] } }] });
    };
    expect(await (await open()).loglikelihood(requests)).toEqual(requests.map(expected));
    expect(server.bodies.filter(({ logprobs }) => logprobs === tokenizer.vocabSize)).toHaveLength(1);
  });

  test("of one context are asked for by one worker after the other", async () => {
    server.models = { data: [{ id: "m.gguf", owned_by: "llamacpp" }] };
    let running = 0;
    const together: number[][] = [];
    const contexts = new Set<number>();
    server.reply = (body, response, request) => {
      const first = (body.prompt as number[])[0];
      if (contexts.has(first)) together.push([first]);
      contexts.add(first);
      running++;
      setTimeout(() => {
        running--;
        contexts.delete(first);
        forcedAnswer(body, response, request);
      }, 2);
    };
    const choices = [3, 4, 5].flatMap((id) =>
      [7, 8, 9].map((answer) => ({ context: [id], continuation: [answer, 1] })),
    );
    expect(await (await open({ concurrency: 3 })).loglikelihood(choices)).toEqual(choices.map(expected));
    expect([together, running]).toEqual([[], 0]);
  });

  test("are refused if they include the bias", async () => {
    server.reply = ({ logit_bias }, response) => {
      const id = Number(Object.keys(logit_bias!)[0]);
      const content = [{ id, logprob: -1e-6, top_logprobs: [{ id, logprob: -1e-6 }] }];
      sendJson(response, { choices: [{ text: "x", logprobs: { content } }] });
    };
    await expect((await open({ scoring: "forced" })).loglikelihood(requests)).rejects.toThrow(
      `${url}/completions: its log-probabilities include logit_bias, so scoring=forced cannot be used; try scoring=echo`,
    );
  });
});

describe("llama-cpp-python", () => {
  const withBos = loadTokenizer(path.join(import.meta.dirname, "../../golden/tokenizer/tokenizers/llama3.json"));
  const openText = (settings: Partial<ServerArguments> = {}) =>
    openCompletionsModel(url, { tokenizer: "", ...settings }, withBos);
  const encoded = (context: string, continuation: string) => {
    const ids = withBos.encode(context);
    return { context: ids, continuation: withBos.encode(context + continuation).slice(ids.length) };
  };
  const questions = [encoded("The dog", " ran home."), encoded("The cat", " sat")];
  beforeEach(() => {
    server.models = { object: "list", data: [{ id: "/m.gguf", object: "model", owned_by: "me", permissions: [] }] };
    server.reply = echoedTextAnswer(withBos);
    server.checkReplies = [nextTokenAnswer, echoedTextAnswer(withBos)];
  });

  test("gets texts; BOS is not in its lists", async () => {
    const model = await openText();
    expect(model.facts).toMatchObject({ prompts: "text", scoring: "echo" });
    expect(await model.loglikelihood(questions)).toEqual(questions.map(expected));
    expect(server.bodies.map(({ prompt }) => prompt).sort()).toEqual(["The cat sat", "The dog ran home."]);
  });

  test("draws from the whole distribution, without its penalty for repetition", async () => {
    server.reply = (_, response) => sendJson(response, { choices: [{ index: 0, text: " ran", logprobs: null }] });
    const request = { context: questions[0].context, until: ["."], maxTokens: 3 };
    expect(await (await openText()).generateUntil([request])).toEqual([" ran"]);
    expect(server.bodies[0]).toEqual({
      ...{ model: "/m.gguf", prompt: "The dog", max_tokens: 3, temperature: 0, stop: ["."] },
      ...{ top_k: 0, top_p: 1, min_p: 0, repeat_penalty: 1 },
    });
  });

  test("scores without BOS one position too late: said before anything is answered", async () => {
    server.checkReplies = [nextTokenAnswer, echoedTextAnswer(withBos, { late: true })];
    await expect((await openText()).loglikelihood(questions)).rejects.toThrow(
      /its echo has the log-probabilities of other positions: after \d+ tokens the likeliest is "b" \(-0.250\), with echo "c"/,
    );
    expect(server.bodies).toEqual([]);
  });

  test("tokenizes otherwise: its count tells", async () => {
    server.reply = ({ prompt }, response, request) =>
      echoedTextAnswer(withBos)({ prompt: `${prompt} more`, max_tokens: 1 }, response, request);
    await expect((await openText()).loglikelihood(questions)).rejects.toThrow(
      /\d+ tokens counted in a prompt of \d+: is tokenizer= the server's\?/,
    );
  });

  test("a prompt that was cut in the middle cannot go out as text", async () => {
    const cut = { context: questions[0].context.slice(1), continuation: questions[0].continuation };
    await expect((await openText()).loglikelihood([cut])).rejects.toThrow(
      "a prompt cannot be sent as text (prompts=text), because its text has other token ids",
    );
  });

  test("a server that takes no ids says so at once", async () => {
    server.models = { data: [{ id: "m" }] };
    const message = "4 validation errors:\n  {'type': 'string_type', 'loc': ('body', 'prompt', 'str')}";
    server.checkReplies = null;
    server.reply = (_, response) => sendJson(response, { error: { message, type: "internal_server_error" } }, 500);
    await expect((await open()).loglikelihood(requests)).rejects.toThrow(
      /error 500: 4 validation errors: .*; prompts=text/,
    );
    expect(pauses).toEqual([]);
  });
});

describe("generation", () => {
  const problem = { context: [5, 6], until: ["\n", "Q:"], maxTokens: 9 };

  test("sends stop strings and cuts what came after them all the same", async () => {
    server.reply = ({ prompt }, response) =>
      sendJson(response, { choices: [{ index: 0, text: ` number ${prompt[0]}Q: more` }] });
    const model = await open({ concurrency: 2 });
    const problems = [problem, { ...problem, context: [8] }, { ...problem, maxTokens: 0 }];
    expect(await model.generateUntil(problems)).toEqual([" number 5", " number 8", ""]);
    expect(server.bodies[0]).toEqual({
      model: "small",
      prompt: [5, 6],
      max_tokens: 9,
      temperature: 0,
      stop: ["\n", "Q:"],
    });
  });

  test("sends how to draw", async () => {
    server.reply = (_, response) => sendJson(response, { choices: [{ text: "x" }] });
    await (await open()).generateUntil([{ ...problem, temperature: 0.7, topK: 5, topP: 0.9, seed: 3 }]);
    expect(server.bodies[0]).toMatchObject({ temperature: 0.7, top_k: 5, top_p: 0.9, seed: 3 });
  });

  test("streams", async () => {
    server.reply = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const text of ["One", " tw", "o"]) response.write(`data: ${JSON.stringify({ choices: [{ text }] })}\n\n`);
      response.end("data: [DONE]\n\n");
    };
    const counts: number[] = [];
    let text = "";
    for await (const piece of (await open()).stream(problem)) {
      text += piece.text;
      counts.push(piece.tokens);
    }
    expect([text, counts]).toEqual(["One two", [1, 2, 3]]);
  });

  test("says so when a stream breaks", async () => {
    server.reply = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify({ choices: [{ text: "One" }] })}\n\n`, () => response.destroy());
    };
    const pieces = (await open()).stream(problem);
    const read = async () => {
      for await (const _ of pieces);
    };
    await expect(read()).rejects.toThrow(/^http:.*\/completions: no answer: the connection broke$/);
  });

  test("tokens that were held back as parts of a character are counted at the end", async () => {
    server.reply = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`data: ${JSON.stringify({ choices: [{ text: "\u6771" }] })}\n\n`);
      // llama.cpp's last event has a choice, vLLM's has none.
      response.write(`data: ${JSON.stringify({ choices: [{ text: "" }], usage: { completion_tokens: 3 } })}\n\n`);
      response.end(`data: ${JSON.stringify({ choices: [], usage: { completion_tokens: 3 } })}\n\ndata: [DONE]\n\n`);
    };
    const counts: number[] = [];
    let text = "";
    for await (const piece of (await open()).stream(problem)) {
      text += piece.text;
      counts.push(piece.tokens);
    }
    expect([text, counts]).toEqual(["\u6771", [1, 3]]);
    expect(server.bodies[0]).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });
});

describe("a server that fails for a while", () => {
  const failing = (times: number, fail: (response: import("node:http").ServerResponse) => void) => {
    let failures = 0;
    server.reply = (body, response, request) =>
      failures++ < times ? fail(response) : echoAnswer(body, response, request);
  };

  test.each<[string, (response: import("node:http").ServerResponse) => void]>([
    ["503 while it loads", (response) => sendJson(response, { error: { message: "Loading model" } }, 503)],
    ["429", (response) => sendJson(response, {}, 429)],
    ["a connection that breaks", (response) => response.destroy()],
    ["an answer that is cut", (response) => response.writeHead(200).end('{"choices": [{"te')],
  ])("%s: asked again, with growing pauses", async (_, fail) => {
    failing(3, fail);
    expect(await (await open()).loglikelihood(requests.slice(0, 1))).toEqual([expected(requests[0])]);
    expect(pauses).toEqual([1, 2, 4]);
  });

  test("no answer in time: asked again, then said", async () => {
    server.reply = () => {};
    const model = await open({ timeoutSeconds: 1, retries: 1 });
    await expect(model.loglikelihood(requests.slice(0, 1))).rejects.toThrow(
      `${url}/completions: no answer within 1 s (timeout= sets the limit) (tried 2 times)`,
    );
    expect(notices).toEqual([expect.stringMatching(/no answer within 1 s .*; trying again \(1 of 1\)$/)]);
  });

  test("for ever: the error, and what was answered before is kept", async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "bitnet-server-"));
    let answered = 0;
    server.reply = (body, response, request) =>
      answered++ < 2 ? echoAnswer(body, response, request) : sendJson(response, { error: "out of memory" }, 500);
    const file = path.join(directory, "cache.jsonl");
    const model = new CachedLanguageModel(await open({ retries: 2 }), await AnswerCache.open(file), "server");
    await expect(model.loglikelihood(requests)).rejects.toThrow("error 500: out of memory (tried 3 times)");
    model.dispose();
    server.reply = echoAnswer;
    server.bodies.length = 0;
    const again = new CachedLanguageModel(await open(), await AnswerCache.open(file), "server");
    expect(await again.loglikelihood(requests)).toEqual(requests.map(expected));
    expect(server.bodies).toHaveLength(2);
    again.dispose();
    rmSync(directory, { recursive: true });
  });

  test("an interrupt ends the waiting", async () => {
    const controller = new AbortController();
    server.reply = () => controller.abort(new Error("interrupted"));
    const call = (await open()).loglikelihood(requests, { signal: controller.signal });
    await expect(call).rejects.toThrow("interrupted");
  });
});

describe("a server that answers wrongly is one error, at once", () => {
  const ids = [5, 6, 9, 7];
  const scores = (count: number) => ({
    token_logprobs: new Array(count).fill(-1),
    top_logprobs: new Array(count).fill({ a: -1 }),
  });
  test.each<[string, unknown, string | RegExp]>([
    [
      "no log-probabilities",
      { choices: [{ text: "", logprobs: null }] },
      "the answer has no log-probabilities (choices[0].logprobs): the server must support echo and logprobs",
    ],
    [
      "those of the generated token only",
      { choices: [{ text: "x", logprobs: { content: [{ id: 1, logprob: -1 }] } }] },
      "log-probabilities of 1 generated tokens only: the server ignores echo; scoring=forced",
    ],
    [
      "too few",
      { choices: [{ text: "", logprobs: scores(3) }] },
      "3 log-probabilities for a prompt of 4 tokens: is tokenizer= the server's?",
    ],
    ["too many", { choices: [{ text: "", logprobs: scores(9) }] }, "9 log-probabilities for a prompt of 4 tokens"],
    [
      "null in the continuation",
      { choices: [{ text: "", logprobs: { ...scores(5), token_logprobs: [null, -1, -1, null, -1] } }] },
      "no log-probability of token 3 of the prompt",
    ],
    [
      "no top_logprobs",
      { choices: [{ text: "", logprobs: { token_logprobs: [null, -1, -1, -1, -1] } }] },
      "top_logprobs is missing",
    ],
    ["no choices", { choices: [] }, "the answer is no completion: choices: "],
    ["two choices", { choices: [{ text: "" }, { text: "" }] }, "2 choices for 1 prompts"],
    ["something else", ["hello"], "the answer is no completion: it: "],
  ])("%s", async (_, answer, message) => {
    server.reply = (__, response) => sendJson(response, answer);
    const request = { context: ids.slice(0, 3), continuation: ids.slice(3) };
    const failure = await (await open()).loglikelihood([request]).catch((error: Error) => error);
    expect((failure as Error).message).toContain(`${url}/completions: ${message}`);
    expect((failure as Error).message).not.toContain("\n");
    expect(server.bodies).toHaveLength(1);
  });

  test("a web page", async () => {
    server.reply = (_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>\n<body>Welcome</body></html>");
    };
    await expect((await open()).loglikelihood(requests)).rejects.toThrow(
      `${url}/completions: the answer is a web page, not JSON: <html> <body>Welcome</body></html>`,
    );
    expect(server.bodies).toHaveLength(1);
  });

  test("a refusal, with the server's own words", async () => {
    server.reply = forcedAnswer;
    await expect((await open()).loglikelihood(requests)).rejects.toThrow("error 500: Only no echo is supported");
    expect(pauses).toEqual([]);
  });

  test("slots that share one context: how to start the server", async () => {
    server.reply = (_, response) =>
      sendJson(
        response,
        { error: { code: 500, message: "Context size has been exceeded.", type: "server_error" } },
        500,
      );
    await expect((await open({ retries: 0 })).loglikelihood(requests)).rejects.toThrow(
      "Context size has been exceeded.; its slots share one context: start llama-server with --parallel N",
    );
  });

  test("another token than the forced one", async () => {
    server.reply = (_, response) => {
      const content = [{ id: 999, logprob: -3, top_logprobs: [{ id: 999, logprob: -3 }] }];
      sendJson(response, { choices: [{ text: "x", logprobs: { content } }] });
    };
    await expect((await open({ scoring: "forced" })).loglikelihood(requests)).rejects.toThrow(
      /token 999 was generated although logit_bias forces \d+/,
    );
  });
});

describe("opening", () => {
  test("no server", async () => {
    const gone = new CompletionsServer();
    const address = await gone.start();
    await gone.stop();
    const away = openCompletionsModel(address, { tokenizer: "" }, tokenizer);
    await expect(away).rejects.toThrow(`${address}/models: no answer: nothing listens at this address`);
  });

  test("a model that is not served; a server without models", async () => {
    await expect(open({ model: "large" })).rejects.toThrow(`${url} has no model "large" (models: small)`);
    server.models = {};
    await expect(open()).rejects.toThrow(`${url}/models names no model: give model=NAME`);
    expect((await open({ model: "any" })).name).toBe(`${url} any`);
  });

  test("llama.cpp's server is asked how it tokenizes", async () => {
    server.models = { data: [{ id: "m.gguf", owned_by: "llamacpp" }] };
    server.tokenize = (text) => tokenizer.encode(text, { addSpecialTokens: false });
    await open();
    server.tokenize = (text) => Array.from(text, (letter) => letter.charCodeAt(0));
    await expect(open()).rejects.toThrow(
      `${url}: its tokenizer is not that of tokenizer=: the same text has other ids`,
    );
  });

  test("the context is the server's, the user's, or lm-evaluation-harness's", async () => {
    // With echo the last token that is scored and a generated one need positions.
    expect((await open()).maxLength).toBe(2046);
    expect((await open({ maxLength: 77 })).maxLength).toBe(75);
    server.models = { data: [{ id: "small", max_model_len: 512 }] };
    expect((await open()).maxLength).toBe(510);
    server.models = { data: [{ id: "small", owned_by: "llamacpp", meta: { n_ctx: 512, n_params: 1000 } }] };
    expect(await open()).toMatchObject({ maxLength: 511, facts: { parameters: 1000, scoring: "forced" } });
  });

  test("arguments", () => {
    expect(
      parseServerArguments("tokenizer=a=b,model=m,max_length=9,scoring=forced,num_concurrent=4,timeout=5"),
    ).toEqual({
      tokenizer: "a=b",
      model: "m",
      maxLength: 9,
      scoring: "forced",
      concurrency: 4,
      timeoutSeconds: 5,
    });
    expect(() => parseServerArguments("model=m")).toThrow("a server needs tokenizer=PATH");
    expect(() => parseServerArguments("tokeniser=x")).toThrow('unknown key "tokeniser"; the nearest is tokenizer');
    expect(() => parseServerArguments("tokenizer=x,timeout=900")).toThrow(
      'timeout must be a whole number from 1 to 300, not "900"',
    );
    expect(() => parseServerArguments("tokenizer=x,scoring=both")).toThrow(
      'scoring must be echo or forced, not "both"',
    );
  });
});
