/** The server as its callers see it: OpenAI's client, plain HTTP, and our own client of completions servers. */
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, type TextModel } from "../../../native/inference/index.ts";
import { Server } from "../../../native/serve/index.ts";
import { chatTokenizer, exportChatModel } from "../inference/chat_model.ts";
import { temporaryFolder } from "../inference/exported_model.ts";

const folder = temporaryFolder("serve-");
afterAll(() => folder.remove());
const file = path.join(folder.path, "tiny.gguf");
const apiKey = "the key";
let server: Server;
let client: OpenAI;
let alone: TextModel;

beforeAll(async () => {
  await exportChatModel(file);
  server = await Server.start([{ file, threads: 2 }], { port: 0, apiKey, slots: 3, queue: 40 });
  client = new OpenAI({ baseURL: `${server.url}v1`, apiKey, maxRetries: 0 });
  alone = await loadModel(file, { threads: 1 });
});
afterAll(async () => {
  alone?.dispose();
  await server?.stop(1);
});

const post = (route: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${route}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${apiKey}`, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const messages = [{ role: "user" as const, content: "What is the lamp?" }];

describe("completions", () => {
  it("gives each of many callers the text that it would get alone", async () => {
    const prompts = Array.from({ length: 12 }, (_, i) => `Once ${"upon a time ".repeat(i % 4)}the ${i}`);
    const answers = await Promise.all(
      prompts.map((prompt, seed) => client.completions.create({ model: "tiny", prompt, seed, max_tokens: 40 })),
    );
    for (const [seed, prompt] of prompts.entries()) {
      const generation = await alone.generate(prompt, { temperature: 1, seed, maxTokens: 40 }).finish();
      expect(answers[seed].choices[0].text).toBe(generation.text);
      expect(answers[seed].usage).toMatchObject({ prompt_tokens: alone.encode(prompt).length });
    }
  });

  it("repeats the prompt with the log-probabilities of every token", async () => {
    const ids = alone.encode("The lamp is");
    const [text, echoed] = await Promise.all([
      client.completions.create({
        model: "tiny",
        prompt: "The lamp is",
        max_tokens: 1,
        temperature: 0,
        echo: true,
        logprobs: 2,
      }),
      client.completions.create({
        model: "tiny",
        prompt: [ids, ids.slice(0, 4)],
        max_tokens: 0,
        echo: true,
        logprobs: 1,
      }),
    ]);
    const listed = text.choices[0].logprobs!;
    const generation = await alone.generate("The lamp is", { maxTokens: 1 }).finish();
    const expected = await alone.logprobs([...ids, ...generation.tokens], { top: 2 });
    expect(listed.token_logprobs).toEqual(expected.map(({ logprob }) => logprob));
    expect(listed.tokens).toEqual(expected.map((token) => token.text));
    expect(listed.top_logprobs![0]).toBeNull();
    expect(Object.values(listed.top_logprobs![1])).toEqual(expected[1].top.map(({ logprob }) => logprob));
    expect(text.choices[0].text).toBe(`The lamp is${generation.text}`);
    expect(echoed.choices.map(({ logprobs }) => logprobs!.token_logprobs)).toEqual([
      listed.token_logprobs!.slice(0, ids.length),
      listed.token_logprobs!.slice(0, 4),
    ]);
  });

  it("streams the same text and log-probabilities, with the counts at the end", async () => {
    const request = { model: "tiny", prompt: "Why?", seed: 5, max_tokens: 20, n: 2, logprobs: 0 };
    const whole = await client.completions.create(request);
    const stream = await client.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts = ["", ""];
    const logprobs: number[][] = [[], []];
    let usage: unknown = null;
    for await (const chunk of stream) {
      usage = chunk.usage ?? usage;
      for (const choice of chunk.choices) {
        texts[choice.index] += choice.text;
        logprobs[choice.index].push(...((choice.logprobs?.token_logprobs as number[] | undefined) ?? []));
      }
    }
    expect(texts).toEqual(whole.choices.map(({ text }) => text));
    expect(texts[0]).not.toBe(texts[1]);
    expect(logprobs).toEqual(whole.choices.map((choice) => choice.logprobs!.token_logprobs));
    expect(usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 40, total_tokens: 45 });
  });

  it("runs what a slot holds already only once", async () => {
    const prompt = "A long beginning that two callers share, and then ";
    await client.completions.create({ model: "tiny", prompt: `${prompt}one`, max_tokens: 1 });
    const { usage } = await client.completions.create({ model: "tiny", prompt: `${prompt}two`, max_tokens: 1 });
    expect(usage!.prompt_tokens_details!.cached_tokens).toBeGreaterThanOrEqual(prompt.length);
  });
});

describe("chats", () => {
  it("answers by the model's template, whole and in pieces", async () => {
    const request = { model: "tiny", messages, seed: 7, max_tokens: 30 };
    const whole = await client.chat.completions.create({ ...request, logprobs: true, top_logprobs: 1 });
    const expected = await alone.generate(messages, { temperature: 1, seed: 7, maxTokens: 30 }).finish();
    expect(whole.choices[0].message.content).toBe(expected.text);
    expect(whole.choices[0].logprobs!.content).toHaveLength(expected.tokens.length);
    expect(whole.choices[0].logprobs!.content!.flatMap(({ bytes }) => bytes!).length).toBeGreaterThan(0);
    let streamed = "";
    let reason: string | null = null;
    for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
      streamed += choices[0].delta.content ?? "";
      reason = choices[0].finish_reason ?? reason;
    }
    expect(streamed).toBe(expected.text);
    expect(reason).toBe(whole.choices[0].finish_reason);
  });

  it("takes content in parts of text", async () => {
    const parts = [
      {
        role: "user" as const,
        content: [
          { type: "text" as const, text: "What is " },
          { type: "text" as const, text: "the lamp?" },
        ],
      },
    ];
    const [whole, cut] = await Promise.all(
      [messages, parts].map((asked) =>
        client.chat.completions.create({ model: "tiny", messages: asked, seed: 1, max_tokens: 8 }),
      ),
    );
    expect(cut.choices[0].message.content).toBe(whole.choices[0].message.content);
  });

  it("ends before a stop string", async () => {
    const free = await client.chat.completions.create({ model: "tiny", messages, seed: 7, max_tokens: 30 });
    const text = free.choices[0].message.content!;
    const stop = text.slice(8, 10);
    const cut = await client.chat.completions.create({ model: "tiny", messages, seed: 7, max_tokens: 30, stop });
    expect(cut.choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { content: text.slice(0, text.indexOf(stop)) },
    });
  });
});

describe("small routes", () => {
  it("lists the models", async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["tiny"]);
    expect(await client.models.retrieve("tiny")).toMatchObject({ id: "tiny", object: "model" });
  });

  it("tokenizes, detokenizes and applies the template", async () => {
    const tokens = alone.encode("The lamp");
    expect(await (await post("tokenize", { content: "The lamp" })).json()).toMatchObject({
      tokens,
      count: tokens.length,
    });
    expect(await (await post("detokenize", { tokens })).json()).toMatchObject({
      content: chatTokenizer.decode(tokens, { skipSpecialTokens: false }),
    });
    const { prompt } = (await (await post("apply-template", { messages })).json()) as { prompt: string };
    expect(prompt).toBe(alone.chatTemplate.render(messages));
    expect(await (await post("tokenize", { messages })).json()).toMatchObject({ tokens: alone.encode(messages) });
  });

  it("counts in Prometheus' format, streams too", async () => {
    const count = async () => {
      const text = await (
        await fetch(`${server.url}metrics`, { headers: { authorization: `Bearer ${apiKey}` } })
      ).text();
      const value = (name: string) => Number(text.match(new RegExp(`^${name} (\\d+)$`, "m"))?.[1] ?? 0);
      return {
        tokens: value('bitnet_generated_tokens_total\\{model="tiny"\\}'),
        requests: value('bitnet_requests_total\\{route="/v1/completions",status="200"\\}'),
        running: value('bitnet_generations_running\\{model="tiny"\\}'),
      };
    };
    const before = await count();
    const request = { model: "tiny", prompt: "a", max_tokens: 5, temperature: 0 };
    await client.completions.create(request);
    for await (const _ of await client.completions.create({ ...request, stream: true }));
    const after = await count();
    expect(after).toEqual({ tokens: before.tokens + 10, requests: before.requests + 2, running: 0 });
  });

  it("has a page, and tells its health, without a key", async () => {
    expect(await (await fetch(server.url)).text()).toContain("<textarea");
    expect(await (await fetch(`${server.url}health`)).json()).toEqual({ status: "ok" });
  });
});

describe("what cannot be served", () => {
  it.each([
    ["v1/completions", { prompt: "a", max_tokens: -1 }, 400, /max_tokens/],
    ["v1/completions", {}, 400, /prompt/],
    ["v1/completions", { prompt: [5000] }, 400, /vocabulary/],
    ["v1/completions", { prompt: "a".repeat(3000) }, 400, /context has room/],
    ["v1/completions", { prompt: "a", logit_bias: { "5": 1 } }, 400, /logit_bias/],
    ["v1/completions", { prompt: "a", presence_penalty: 1 }, 400, /presence_penalty/],
    ["v1/completions", { prompt: "a", min_p: 2 }, 400, /min_p/],
    ["v1/completions", { prompt: "a", model: "other" }, 404, /no model other here, only tiny/],
    ["v1/completions", "{", 400, /JSON/],
    ["v1/chat/completions", { messages: [] }, 400, /messages/],
    ["v1/chat/completions", { messages, response_format: { type: "json_schema" } }, 400, /response_format/],
    ["v1/chat/completions", { messages, tools: [{ type: "function", function: { name: "f" } }] }, 400, /tools/],
    [
      "v1/chat/completions",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      400,
      /image_url/,
    ],
    ["v1/embeddings", { input: "a" }, 404, /no such route/],
  ])("%s %.60j: %i", async (route, body, status, message) => {
    const response = await post(route, body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: { message: string; type: string } };
    expect(error.message).toMatch(message);
    expect(error.type).toMatch(/_error$/);
  });

  it("asks for the key, and for its own name", async () => {
    const body = { prompt: "a" };
    expect((await post("v1/completions", body, { authorization: "Bearer other" })).status).toBe(401);
    const missing = await fetch(`${server.url}v1/models`);
    expect(missing.status).toBe(401);
    const { hostname, port } = new URL(server.url);
    const socket = net.connect(Number(port), hostname);
    socket.write(`GET /health HTTP/1.1\r\nHost: evil.example:${port}\r\nConnection: close\r\n\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 403/);
    socket.destroy();
  });

  it("refuses other content types and bodies that are too large", async () => {
    expect((await post("v1/completions", "prompt", { "content-type": "text/plain" })).status).toBe(415);
    expect((await post("v1/completions", { prompt: "a".repeat(5 << 20) })).status).toBe(413);
  });

  it("frees the slot of a caller who leaves within 100 ms, and goes on serving", async () => {
    const [model] = server.models;
    const { slots } = model.limits;
    const milliseconds: number[] = [];
    // The machine may be busy elsewhere: one of three rounds shows what the server does.
    for (let round = 0; round < 3; round++) {
      const aborts = Array.from({ length: slots }, () => new AbortController());
      const request = { model: "tiny", prompt: "Once", max_tokens: 450, temperature: 0 };
      const running = aborts.map(({ signal }) => client.completions.create(request, { signal }).catch(() => "left"));
      while (model.running < slots) await new Promise((resolve) => setImmediate(resolve));
      for (const abort of aborts) abort.abort();
      const begin = performance.now();
      while (model.running > 0) await new Promise((resolve) => setImmediate(resolve));
      milliseconds.push(performance.now() - begin);
      expect(await Promise.all(running)).toEqual(aborts.map(() => "left"));
    }
    expect(Math.min(...milliseconds)).toBeLessThan(100);
    const { choices } = await client.completions.create({ model: "tiny", prompt: "Why?", seed: 3, max_tokens: 10 });
    expect(choices[0].text).toBe(
      (await alone.generate("Why?", { temperature: 1, seed: 3, maxTokens: 10 }).finish()).text,
    );
  });

  it("tells callers to come back when the queue is full", async () => {
    const own = await Server.start([{ file, threads: 1 }], { port: 0, slots: 1, queue: 1 });
    const [model] = own.models;
    const leave = new AbortController();
    const ask = () =>
      fetch(`${own.url}v1/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ prompt: "Once", max_tokens: 450, temperature: 0 }),
        signal: leave.signal,
      });
    const taken = [ask(), ask()].map((asked) => asked.catch(() => null));
    while (model.running < 1 || model.waiting < 1) await new Promise((resolve) => setImmediate(resolve));
    const refused = await ask();
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    leave.abort();
    await Promise.all(taken);
    while (model.running + model.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
    await own.stop();
  });
});

describe("stopping", () => {
  it("lets answers end", async () => {
    const own = await Server.start([{ file, threads: 1 }], { port: 0 });
    const ask = (max_tokens: number) =>
      fetch(`${own.url}v1/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ prompt: "Once", max_tokens, temperature: 0 }),
      });
    const asked = ask(450);
    while (own.models[0].running < 1) await new Promise((resolve) => setImmediate(resolve));
    await own.stop();
    expect((await asked).status).toBe(200);
    await expect(ask(1)).rejects.toThrow();
  });

  it("breaks off answers that are not done in time, and says so", async () => {
    const own = await Server.start([{ file, threads: 1 }], { port: 0, timeout: 0.05 });
    try {
      const other = new OpenAI({ baseURL: `${own.url}v1`, apiKey: "none", maxRetries: 0 });
      const request = { model: "tiny", prompt: "Once", max_tokens: 450, temperature: 0 };
      await expect(other.completions.create(request)).rejects.toMatchObject({ status: 504 });
      const streamed = other.completions.create({ ...request, stream: true }).then(async (stream) => {
        for await (const _ of stream);
      });
      await expect(streamed).rejects.toThrow(/no end after 0.05 seconds/);
    } finally {
      await own.stop();
    }
  });

  it("breaks off at the end of the grace that it was given", async () => {
    const own = await Server.start([{ file, threads: 1 }], { port: 0 });
    const asked = fetch(`${own.url}v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: "Once", max_tokens: 450, temperature: 0 }),
    });
    while (own.models[0].running < 1) await new Promise((resolve) => setImmediate(resolve));
    await own.stop(0);
    expect((await asked).status).toBe(503);
  });

  it("does not wait for a caller whose request never ends", async () => {
    const own = await Server.start([{ file, threads: 1 }], { port: 0 });
    const { hostname, port } = new URL(own.url);
    const socket = net.connect(Number(port), hostname);
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    const begin = performance.now();
    await own.stop(0.1);
    expect(performance.now() - begin).toBeLessThan(5000);
    socket.destroy();
  });

  it("says what is wrong with its files and its address", async () => {
    await expect(Server.start([{ file }, { file }], { port: 0 })).rejects.toThrow(/two files are called tiny/);
    const { port } = new URL(server.url);
    await expect(Server.start([{ file }], { port: Number(port) })).rejects.toThrow(/is in use/);
  });
});
