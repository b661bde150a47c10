/** `loadModel`: streaming, several callers, stop reasons, aborts, chat templates, disposal. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ChatTemplateError,
  EngineDisposedError,
  EngineRequestError,
  type GenerateOptions,
  loadModel,
  ModelFileError,
  type TextModel,
} from "../../../native/inference/index.ts";
import { Generation, type PromptSource } from "../../../src/language_model/generation.ts";
import { byteLevelTokenizer } from "../../../src/tokenizer/byte_level_tokenizer.ts";
import { loadTokenizer } from "../../../src/tokenizer/load_tokenizer.ts";
import { chatTokenizer, exportChatModel } from "./chat_model.ts";
import { exportSmallModel, randomSequences, temporaryFolder } from "./exported_model.ts";

const folder = temporaryFolder("text-model-");
afterAll(() => folder.remove());
const file = path.join(folder.path, "model.gguf");
let model: TextModel;
beforeAll(async () => {
  await exportChatModel(file);
  model = await loadModel(file, { threads: 2 });
});
afterAll(() => model.dispose());

const sampled: GenerateOptions = { temperature: 1, topK: 12, maxTokens: 60 };
const prompts = ["Once", "The lamp is", "Why?", "a b c d", "Ünïcode ✓", "1 + 1 =", "Question: who", "..."];

describe("generation", () => {
  it("yields tokens whose texts make up the whole text, and says how it went", async () => {
    const generation = model.generate("Once upon", { ...sampled, seed: 3 });
    expect(generation.stopReason).toBeNull();
    let text = "";
    const ids: number[] = [];
    for await (const token of generation) {
      text += token.text;
      ids.push(token.id);
    }
    expect(generation).toMatchObject({ text, stopReason: "length", tokens: ids });
    expect(ids).toHaveLength(60);
    expect(text).toBe(chatTokenizer.decode(ids));
    const { usage } = generation;
    expect(usage).toMatchObject({ promptTokens: 10, cachedTokens: 0, generatedTokens: 60 });
    expect(usage.promptSeconds).toBeGreaterThan(0);
    expect(usage.generationSeconds).toBeGreaterThan(0);
    expect(() => generation[Symbol.asyncIterator]()).toThrow(TypeError);
  });

  it("gives the tokens of the engine, whoever else is generating", async () => {
    const alone: (readonly number[])[] = [];
    for (const [seed, prompt] of prompts.entries()) {
      alone.push((await model.generate(prompt, { ...sampled, seed }).finish()).tokens);
    }
    const session = model.languageModel.engine.createSession();
    const sequence = { slot: 0, ids: model.encode(prompts[2]), sampling: { ...sampled, seed: 2 } };
    const [direct] = await session.advance([sequence], 60, { endIds: [...model.languageModel.endIds] });
    expect(alone[2]).toEqual([...direct]);

    const order: number[] = [];
    const together = await Promise.all(
      prompts.map(async (prompt, seed) => {
        const generation = model.generate(prompt, { ...sampled, seed });
        for await (const _ of generation) order.push(seed);
        return generation.tokens;
      }),
    );
    expect(together).toEqual(alone);
    // Turns are taken: nobody is done before everybody has begun.
    const firstEnd = Math.min(...prompts.map((_, seed) => order.lastIndexOf(seed)));
    expect(new Set(order.slice(0, firstEnd)).size).toBe(prompts.length);
  });

  it("lets others go on while a long prompt is read", async () => {
    const long = model.generate([...randomSequences([500], 256)[0]], { maxTokens: 1 });
    const events: string[] = [];
    const short = model.generate("x", { maxTokens: 10 });
    await Promise.all([long.finish().then(() => events.push("long")), short.finish().then(() => events.push("short"))]);
    expect(events).toEqual(["short", "long"]);
  });

  it("ends with the reason", async () => {
    const free = await model.generate("Once", { maxTokens: 100 }).finish();
    expect(free.stopReason).toBe("length");
    const stop = free.text.slice(20, 23);
    const stopped = await model.generate("Once", { maxTokens: 100, stop }).finish();
    expect(stopped.stopReason).toBe("stop");
    expect(stopped.text).toBe(free.text.slice(0, free.text.indexOf(stop)));
    // 512 positions: after a prompt of 500 tokens 13 can be drawn, the last of which takes none.
    const prompt = [...randomSequences([500], 256)[0]];
    const full = await model.generate(prompt).finish();
    expect([full.stopReason, full.tokens.length]).toEqual(["context", 13]);
    const exact = await model.generate(prompt, { maxTokens: 13 }).finish();
    expect([exact.stopReason, exact.tokens]).toEqual(["length", full.tokens]);
    const last = await model.generate([...randomSequences([512], 256)[0]]).finish();
    expect([last.stopReason, last.tokens.length]).toEqual(["context", 1]);
  });

  it("works to the last of 4096 positions", async () => {
    const deep = path.join(folder.path, "deep.gguf");
    await exportChatModel(deep, { max_position_embeddings: 4096 });
    const engine = await loadModel(deep, { threads: 2 });
    const prompt = [...randomSequences([4090], 256)[0]];
    const full = await engine.generate(prompt).finish();
    expect([full.stopReason, full.tokens.length]).toEqual(["context", 7]);
    // The greedy tokens are those that scoring the whole text in one go finds the likeliest.
    expect((await engine.loglikelihood(prompt, full.tokens)).isGreedy).toBe(true);
    engine.dispose();
  });

  it("refuses a prompt that does not fit, an empty one, and options that mean nothing", async () => {
    const tooLong = model.generate([...randomSequences([513], 256)[0]]);
    await expect(tooLong.finish()).rejects.toThrow("the prompt has 513 tokens, the context has room for 512");
    await expect(model.generate([]).finish()).rejects.toThrow(EngineRequestError);
    await expect(model.generate("a", { maxTokens: 0 }).finish()).rejects.toThrow("maxTokens");
    await expect(model.generate("a", { temperature: -1 }).finish()).rejects.toThrow("temperature");
    await expect(model.generate([999]).finish()).rejects.toThrow("token id 999");
  });

  it("stops when the loop is left, and the session is given back", async () => {
    const generation = model.generate("Once");
    for await (const _ of generation) break;
    expect(generation.tokens).toHaveLength(1);
    expect(generation.stopReason).toBeNull();
  });
});

describe("streamed text", () => {
  /** A generation whose tokens are given. */
  function scripted(ids: readonly number[], options: GenerateOptions = {}): Generation {
    let next = 0;
    const session: PromptSource = {
      room: () => 10_000,
      append: async () => {},
      advance: async (_, steps) => {
        next += steps;
        return [ids.slice(next - steps, next)];
      },
    };
    const source = {
      tokenizer: chatTokenizer,
      endIds: new Set([chatTokenizer.eosTokenId!]),
      promptPart: () => 256,
      prepare: async () => ({ source: session, slot: 0, ids: [0], cached: 0, release: () => {} }),
    };
    return new Generation(source, { maxTokens: ids.length, ...options });
  }

  async function pieces(generation: Generation): Promise<string[]> {
    const texts: string[] = [];
    for await (const { text } of generation) texts.push(text);
    return texts;
  }

  it("holds back the bytes of an incomplete character", async () => {
    const ids = [...Buffer.from("é😀!")];
    expect(await pieces(scripted(ids))).toEqual(["", "é", "", "", "", "😀", "!"]);
    // What never becomes a character is shown as such when that is clear.
    expect(await pieces(scripted([...Buffer.from("😀").subarray(0, 3), 33]))).toEqual(["", "", "", "\ufffd!"]);
    expect(await pieces(scripted([...Buffer.from("😀").subarray(0, 3)]))).toEqual(["", "", "\ufffd"]);
  });

  it("holds back the beginning of a stop string, and releases it when it is none", async () => {
    const options = { stop: ["END", "\n\n"] };
    expect(await pieces(scripted([...Buffer.from("a EN ")], options))).toEqual(["a", " ", "", "", "EN "]);
    const stopped = scripted([...Buffer.from("a END more")], options);
    expect((await pieces(stopped)).join("")).toBe("a ");
    expect(stopped.stopReason).toBe("stop");
    const ended = scripted([...Buffer.from("a EN"), chatTokenizer.eosTokenId!, 65], options);
    expect(await pieces(ended)).toEqual(["a", " ", "", "", "EN"]);
    expect([ended.stopReason, ended.tokens.length]).toEqual(["eos", 5]);
  });

  it("is the decoded text for long texts, too", async () => {
    const ids = [...Buffer.from("Äpfel und Birnen – 你好, мир! ".repeat(30))];
    expect((await pieces(scripted(ids))).join("")).toBe(chatTokenizer.decode(ids));
  });
});

describe("an abort", () => {
  it("ends a generation with the signal's reason, and the model goes on", async () => {
    const controller = new AbortController();
    const generation = model.generate("Once", { signal: controller.signal });
    const reason = new Error("enough");
    await expect(
      (async () => {
        for await (const _ of generation) if (generation.tokens.length === 5) controller.abort(reason);
      })(),
    ).rejects.toBe(reason);
    expect(generation.stopReason).toBeNull();
    const after = await model.generate("Once", { maxTokens: 8 }).finish();
    expect(after.tokens.slice(0, 5)).toEqual(generation.tokens.slice(0, 5));
    const aborted = model.generate("Once", { signal: AbortSignal.abort() });
    await expect(aborted.finish()).rejects.toMatchObject({ name: "AbortError" });
  });

  it("in the middle of a long prompt frees the engine long before the prompt would end", async () => {
    const large = path.join(folder.path, "large.gguf");
    const shape = { hidden_size: 512, intermediate_size: 1536, num_hidden_layers: 4, num_attention_heads: 8 };
    await exportChatModel(large, { ...shape, num_key_value_heads: 4, max_position_embeddings: 4096 });
    const engine = await loadModel(large, { threads: 2 });
    const prompt = [...randomSequences([4000], 256)[0]];
    // A call that costs nothing, and waits for the one before.
    const probe = engine.languageModel.engine.createSession({ capacity: 1 });
    const begun = performance.now();
    await engine.generate(prompt, { maxTokens: 1 }).finish();
    const whole = performance.now() - begun;
    const freed: number[] = [];
    for (const share of [0.05, 0.1, 0.15, 0.2, 0.25]) {
      const controller = new AbortController();
      const call = engine.generate(prompt, { signal: controller.signal }).finish();
      const outcome = call.catch((error) => error);
      await new Promise((resolve) => setTimeout(resolve, share * whole));
      const start = performance.now();
      controller.abort();
      expect(await outcome).toMatchObject({ name: "AbortError" });
      await probe.truncate(0);
      freed.push(performance.now() - start);
    }
    engine.dispose();
    // The median: another process may take the cores at any time.
    expect(freed.sort((a, b) => a - b)[2]).toBeLessThan(whole / 4);
  }, 120_000);
});

describe("log-likelihoods", () => {
  it("are those of the engine, for texts and for ids", async () => {
    const result = await model.loglikelihood("The lamp", " is red");
    const ids = [...model.encode("The lamp"), ...chatTokenizer.encode(" is red", { addSpecialTokens: false })];
    const [{ logprobs }] = await model.languageModel.engine.score([Int32Array.from(ids)]);
    expect(result.tokenLogprobs).toEqual(logprobs.slice(-7));
    const same = await model.loglikelihood(ids.slice(0, -7), ids.slice(-7));
    expect(same).toEqual(result);
    await expect(model.loglikelihood("a", "")).rejects.toThrow("no token to score");
  });
});

describe("messages", () => {
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hello" },
  ];

  it("become the text of the file's chat template", async () => {
    const text = "<|begin_of_text|>System: Be brief.<|eot_id|>User: Hello<|eot_id|>Assistant: ";
    expect(chatTokenizer.decode(model.encode(messages), { skipSpecialTokens: false })).toBe(text);
    const answer = await model.generate(messages, { maxTokens: 5 }).finish();
    expect(answer.tokens).toEqual((await model.generate(text, { maxTokens: 5 }).finish()).tokens);
  });

  it("end an answer with the token that ends a turn", () => {
    const eot = chatTokenizer.encode("<|eot_id|>", { addSpecialTokens: false });
    expect([...model.languageModel.endIds].sort()).toEqual([chatTokenizer.eosTokenId!, ...eot].sort());
  });

  it("need a template: the file's, or a given one", async () => {
    const plain = path.join(folder.path, "plain.gguf");
    await exportSmallModel(plain, "tq2_0", {}, byteLevelTokenizer());
    const without = await loadModel(plain);
    expect(() => without.generate(messages)).toThrow(ChatTemplateError);
    expect(() => without.generate(messages)).toThrow(
      "plain.gguf has no chat template: the metadata key tokenizer.chat_template is missing",
    );
    without.dispose();
    const given = await loadModel(plain, { chatTemplate: "{% for m in messages %}<{{ m.content }}>{% endfor %}" });
    expect(given.tokenizer.decode(given.encode(messages))).toBe("<Be brief.><Hello>");
    given.dispose();
    const named = await loadModel(plain, { chatTemplate: "bitnet-b1.58-2B-4T" });
    expect(named.tokenizer.decode(named.encode(messages))).toContain("User: Hello");
    named.dispose();
    const several = path.join(folder.path, "several.gguf");
    const templates = { default: "D{{ messages[0].content }}", tool_use: "T{{ messages[0].content }}" };
    const { json } = byteLevelTokenizer();
    await exportSmallModel(several, "tq2_0", {}, loadTokenizer(json, { chat_template: templates }));
    const chosen = await loadModel(several, { chatTemplate: "tool_use" });
    expect(chosen.tokenizer.decode(chosen.encode(messages))).toBe("TBe brief.");
    chosen.dispose();
    const unknown = await loadModel(several, { chatTemplate: "rag" });
    expect(() => unknown.generate(messages)).toThrow(
      'several.gguf has no chat template "rag" (it has default, tool_use)',
    );
    unknown.dispose();
  });
});

describe("disposal", () => {
  it("ends what is in progress, and waits for it", async () => {
    const short = await loadModel(file);
    const call = short.generate("Once").finish();
    const outcome = call.catch((error) => error);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await short[Symbol.asyncDispose]();
    expect(await outcome).toBeInstanceOf(EngineDisposedError);
    await expect(short.generate("Once").finish()).rejects.toThrow(EngineDisposedError);
    short[Symbol.dispose]();
  });

  it("of a thousand models leaves no memory behind", () => {
    const script = path.join(import.meta.dirname, "load_dispose_cycles.ts");
    const flags = ["--expose-gc", "--import", "tsx", script, file, "1000"];
    const report = JSON.parse(execFileSync(process.execPath, flags, { encoding: "utf8" }));
    expect(report.cycles).toBe(1000);
    // The file has 0.5 MB: 500 leaked models would be hundreds of MB. The first half warms up compiler and allocator.
    expect(report.growthMegabytes).toBeLessThan(16);
  }, 120_000);

  it("of a file that is none: an error", async () => {
    await expect(loadModel(path.join(folder.path, "missing.gguf"))).rejects.toThrow(ModelFileError);
    await expect(loadModel(folder.path)).rejects.toThrow(ModelFileError);
  });
});
