/** The engine as JavaScript sees it: concurrent calls, aborting, disposal, requests that cannot be served. */
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../../native/inference/engine.ts";
import { EngineDisposedError } from "../../../native/inference/native_engine.ts";
import { RequestError } from "../../../src/language_model/request_error.ts";
import { exportSmallModel, randomSequences, temporaryFolder } from "./exported_model.ts";

const folder = temporaryFolder("engine-calls-");
afterAll(() => folder.remove());
const file = path.join(folder.path, "model.gguf");
beforeAll(() => exportSmallModel(file, "tq2_0", { max_position_embeddings: 4096, num_hidden_layers: 4 }));

const sequences = randomSequences([40, 33, 20, 50], 300);

describe("calls", () => {
  it("may overlap: each gets its own result", async () => {
    const engine = await Engine.load(file, { threads: 2 });
    const session = engine.createSession({ capacity: 64 });
    const [all, first, logits, last] = await Promise.all([
      engine.score(sequences),
      engine.score([sequences[0]]),
      session.prefill(sequences[1]),
      engine.score([sequences[3]]),
    ]);
    expect(first[0]).toEqual(all[0]);
    expect(last[0]).toEqual(all[3]);
    const again = await engine.createSession({ capacity: 64 }).prefill(sequences[1]);
    expect(again).toEqual(logits);
    engine.dispose();
  });

  it("describe the model", async () => {
    const engine = await Engine.load(file, { threads: 3 });
    expect(engine.config).toMatchObject({
      architecture: "bitnet-b1.58",
      hiddenSize: 256,
      numHiddenLayers: 4,
      numKeyValueHeads: 2,
      vocabSize: 300,
      contextLength: 4096,
      hiddenAct: "relu2",
      weightType: "TQ2_0",
      embeddingType: "F16",
      threads: 3,
    });
    expect(engine.metadata.get("general.architecture")).toBe("bitnet-b1.58");
    expect(engine.tokenizerJson).toBeNull();
    engine.dispose();
  });

  it("reject requests that cannot be served", async () => {
    const engine = await Engine.load(file, { threads: 1 });
    await expect(engine.score([Int32Array.of(1)])).rejects.toThrow(RequestError);
    await expect(engine.score([Int32Array.of(1, 300)])).rejects.toThrow(
      "token id 300 at position 1 is not in the vocabulary of 300",
    );
    await expect(engine.score([new Int32Array(4098)])).rejects.toThrow("needs 4097 positions, the model has 4096");
    await expect(engine.score(sequences, { chunk: -1 })).rejects.toThrow(RangeError);
    expect(() => engine.createSession({ capacity: 5000 })).toThrow("session capacity 5000");
    const session = engine.createSession({ capacity: 8 });
    await session.prefill([1, 2, 3, 4, 5]);
    await expect(session.prefill([1, 2, 3, 4])).rejects.toThrow(
      "context overflow: 5 positions used, 4 more do not fit in 8",
    );
    await expect(session.prefill([])).rejects.toThrow("no token ids");
    await expect(session.advance([{ slot: 0, ids: [1], sampling: { topP: 0 } }], 1)).rejects.toThrow("top-p");
    // The session is as it was.
    expect(session.length()).toBe(5);
    await session.prefill([1, 2, 3]);
    engine.dispose();
  });
});

describe("an abort", () => {
  it("ends a long call soon, and the engine goes on", async () => {
    const engine = await Engine.load(file, { threads: 2 });
    const long = randomSequences(new Array(40).fill(1500), 300);
    const controller = new AbortController();
    const call = engine.score(long, { signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 30));
    const start = performance.now();
    controller.abort();
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    // The next call starts when the aborted one has ended.
    const [score] = await engine.score([Int32Array.of(1, 2)]);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(score.logprobs).toHaveLength(1);
    await expect(engine.score(long, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
    engine.dispose();
  });

  it("leaves a session where it was", async () => {
    const engine = await Engine.load(file, { threads: 1 });
    const session = engine.createSession({ capacity: 4096 });
    const expected = await session.prefill(sequences[0]);
    await session.truncate(10);
    const controller = new AbortController();
    const call = session.prefill(new Int32Array(4000), { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    expect(await session.prefill(sequences[0].subarray(10))).toEqual(expected);
    engine.dispose();
  });
});

describe("after dispose", () => {
  it("every use is an error, also of a call in progress", async () => {
    const engine = await Engine.load(file, { threads: 1 });
    const session = engine.createSession({ capacity: 16 });
    const running = engine.score(randomSequences([1000, 1000], 300));
    const waiting = engine.score(sequences);
    const outcomes = Promise.allSettled([running, waiting]);
    engine.dispose();
    for (const outcome of await outcomes) {
      expect(outcome.status === "rejected" && outcome.reason).toBeInstanceOf(EngineDisposedError);
    }
    await expect(engine.score(sequences)).rejects.toThrow(EngineDisposedError);
    await expect(session.prefill([1])).rejects.toThrow(EngineDisposedError);
    expect(() => engine.createSession()).toThrow(EngineDisposedError);
    engine.dispose();
  });

  it("of a session only that session is gone", async () => {
    const engine = await Engine.load(file, { threads: 1 });
    const session = engine.createSession({ capacity: 16 });
    session.dispose();
    await expect(session.prefill([1])).rejects.toThrow("the session is disposed");
    expect(await engine.score([sequences[0]])).toHaveLength(1);
    engine.dispose();
  });
});

describe("sampling", () => {
  it("is the same for the same seed, however it is cut, and differs between seeds", async () => {
    const engine = await Engine.load(file, { threads: 2 });
    const draw = async (seed: number, steps: number): Promise<number[]> => {
      const session = engine.createSession({ capacity: 64 });
      const sampling = { temperature: 1, topK: 50, topP: 0.95, seed };
      const tokens: number[] = [];
      let ids: number[] = [1, 2, 3];
      while (tokens.length < 24) {
        const [drawn] = await session.advance([{ slot: 0, ids, sampling, drawn: tokens.length }], steps);
        tokens.push(...drawn);
        ids = [tokens[tokens.length - 1]];
      }
      session.dispose();
      return tokens;
    };
    const tokens = await draw(7, 24);
    expect(await draw(7, 1)).toEqual(tokens);
    expect(await draw(7, 6)).toEqual(tokens);
    expect(await draw(8, 24)).not.toEqual(tokens);
    expect(new Set(tokens).size).toBeGreaterThan(3);
    engine.dispose();
  });

  it("follows the probabilities", async () => {
    const engine = await Engine.load(file, { threads: 2 });
    const session = engine.createSession({ slots: 1, capacity: 8 });
    const logits = await session.prefill([5, 6]);
    const weights = Array.from(logits, (value) => Math.exp(value / 0.5));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const best = weights.indexOf(Math.max(...weights));
    let hits = 0;
    const draws = 500;
    for (let i = 0; i < draws; i++) {
      await session.truncate(1);
      const [[token]] = await session.advance([{ slot: 0, ids: [6], sampling: { temperature: 0.5, seed: i } }], 1);
      if (token === best) hits++;
    }
    const p = weights[best] / total;
    expect(Math.abs(hits / draws - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / draws));
    engine.dispose();
  });

  it("of several sequences at once equals one at a time", async () => {
    const engine = await Engine.load(file, { threads: 2 });
    const prompts = sequences.map((ids) => [...ids]);
    const batch = engine.createSession({ slots: 4, capacity: 80 });
    const together = await batch.advance(
      prompts.map((ids, slot) => ({ slot, ids, sampling: { temperature: slot, seed: slot } })),
      12,
    );
    for (const [i, ids] of prompts.entries()) {
      const session = engine.createSession({ capacity: 80 });
      const [alone] = await session.advance([{ slot: 0, ids, sampling: { temperature: i, seed: i } }], 12);
      expect(alone).toEqual(together[i]);
    }
    engine.dispose();
  });
});
