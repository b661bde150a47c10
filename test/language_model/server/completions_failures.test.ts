/** Models behind completions servers: every way in which a server can fail, and how one is opened. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { AnswerCache } from "../../../src/eval/models/answer_cache.ts";
import { CachedLanguageModel } from "../../../src/eval/models/cached_language_model.ts";
import {
  openCompletionsModel,
  parseServerArguments,
} from "../../../src/language_model/server/open_completions_model.ts";
import { CompletionsServer, echoAnswer, forcedAnswer, sendJson } from "./completions_server.ts";
import { expected, requests, scriptedServer, tokenizer } from "./opened_models.ts";

const { server, started, pauses, notices, open } = scriptedServer();

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
      `${started.url}/completions: no answer within 1 s (timeout= sets the limit) (tried 2 times)`,
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
    expect((failure as Error).message).toContain(`${started.url}/completions: ${message}`);
    expect((failure as Error).message).not.toContain("\n");
    expect(server.bodies).toHaveLength(1);
  });

  test("a web page", async () => {
    server.reply = (_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>\n<body>Welcome</body></html>");
    };
    await expect((await open()).loglikelihood(requests)).rejects.toThrow(
      `${started.url}/completions: the answer is a web page, not JSON: <html> <body>Welcome</body></html>`,
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
    await expect(open({ model: "large" })).rejects.toThrow(`${started.url} has no model "large" (models: small)`);
    server.models = {};
    await expect(open()).rejects.toThrow(`${started.url}/models names no model: give model=NAME`);
    expect((await open({ model: "any" })).name).toBe(`${started.url} any`);
  });

  test("llama.cpp's server is asked how it tokenizes", async () => {
    server.models = { data: [{ id: "m.gguf", owned_by: "llamacpp" }] };
    server.tokenize = (text) => tokenizer.encode(text, { addSpecialTokens: false });
    await open();
    server.tokenize = (text) => Array.from(text, (letter) => letter.charCodeAt(0));
    await expect(open()).rejects.toThrow(
      `${started.url}: its tokenizer is not that of tokenizer=: the same text has other ids`,
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
