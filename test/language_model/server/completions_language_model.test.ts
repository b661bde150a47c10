/** Models behind completions servers: scores and texts of what a server answers. */
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import {
  openCompletionsModel,
  type ServerArguments,
} from "../../../src/language_model/server/open_completions_model.ts";
import { loadTokenizer } from "../../../src/tokenizer/load_tokenizer.ts";
import {
  bestLogprob,
  echoedTextAnswer,
  forcedAnswer,
  logprobAfter,
  nextTokenAnswer,
  sendJson,
} from "./completions_server.ts";
import { expected, requests, scriptedServer, tokenizer } from "./opened_models.ts";

const { server, started, pauses, open } = scriptedServer();

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

  test("with the likeliest tokens at each place, by id where the server tells it and only one token has the text", async () => {
    const withTop = requests.map((request) => ({ ...request, top: 2 }));
    const echoed = await (await open({ batchSize: 4 })).loglikelihood(withTop);
    expect(server.bodies[0]).toMatchObject({ logprobs: 2 });
    const [a, b] = ["a", "b"].map((text) => tokenizer.encode(text, { addSpecialTokens: false })[0]);
    expect(echoed[0].top![0]).toEqual([
      { id: b, text: "b", logprob: bestLogprob },
      { id: a, text: "a", logprob: echoed[0].tokenLogprobs[0] },
    ]);
    expect(echoed.map(({ top }) => top!.length)).toEqual(requests.map(({ continuation }) => continuation.length));

    server.models = { data: [{ id: "m.gguf", owned_by: "llamacpp" }] };
    server.reply = forcedAnswer;
    const forced = await (await open()).loglikelihood(withTop);
    const [{ id, text, logprob }] = forced[0].top![0];
    expect(text).toBe(tokenizer.decode([id!], { skipSpecialTokens: false }));
    expect(logprob).toBe(bestLogprob);
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
      `${started.url}/completions: its log-probabilities include logit_bias, so scoring=forced cannot be used; try scoring=echo`,
    );
  });
});

describe("llama-cpp-python", () => {
  const withBos = loadTokenizer(path.join(import.meta.dirname, "../../golden/tokenizer/tokenizers/llama3.json"));
  const openText = (settings: Partial<ServerArguments> = {}) =>
    openCompletionsModel(started.url, { tokenizer: "", ...settings }, withBos);
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
