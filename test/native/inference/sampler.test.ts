/** The engine's sampler draws what the reference, `src/language_model/sampling.ts`, draws: the same id each time. */
import { afterAll, expect, test } from "vitest";
import { loadAddon } from "../../../native/addon.ts";
import { samplingValues } from "../../../native/inference/session.ts";
import { drawToken, type SamplingOptions } from "../../../src/language_model/sampling.ts";
import { CounterRng } from "../../../src/random/counter_rng.ts";

const addon = loadAddon();
afterAll(() => addon.setVariant(""));

const variants = addon
  .features()
  .variants.filter(({ supported }) => supported)
  .map(({ name }) => name);

/** Logits with ties, impossible tokens and one that stands out, so that all branches have something to do. */
function randomLogits(rng: CounterRng, count: number): Float32Array {
  const scale = 10 ** rng.integer(3);
  const logits = Float32Array.from({ length: count }, () => scale * (rng.uniform() + rng.uniform() - 1));
  for (let i = 0; i < count / 8; i++) logits[rng.integer(count)] = logits[rng.integer(count)];
  for (let i = 0; i < count / 16; i++) logits[rng.integer(count)] = Number.NEGATIVE_INFINITY;
  return logits;
}

function randomSampling(rng: CounterRng, count: number): SamplingOptions {
  return {
    temperature: rng.pick([0, 0.1, 0.7, 0.8, 1, 1.3, 5]),
    topK: rng.pick([0, 0, 1, 2, 12, 40, count, count + 1]),
    topP: rng.pick([1, 1, 1e-9, 0.5, 0.9, 0.95, 1 - 2 ** -53]),
    minP: rng.pick([0, 0, 0, 1e-9, 0.05, 0.3, 1]),
    seed: rng.pick([0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER, rng.integer(2 ** 32)]),
  };
}

test.each(variants)("%s: thousands of draws", (variant) => {
  addon.setVariant(variant);
  const rng = new CounterRng(5, `sampler ${variant}`);
  const drawn = new Set<number>();
  for (let i = 0; i < 400; i++) {
    const logits = randomLogits(rng, rng.pick([1, 2, 17, 300, 1000]));
    const sampling = randomSampling(rng, logits.length);
    for (const before of [
      0,
      1,
      i,
      2 ** 31 + i,
      2 ** 40 + i,
      ...Array.from({ length: 8 }, () => rng.integer(2 ** 32)),
    ]) {
      const id = addon.drawToken(logits, Float64Array.from(samplingValues(sampling, before)));
      expect(id, JSON.stringify({ sampling, before })).toBe(drawToken(logits, sampling, before));
      drawn.add(id);
    }
  }
  expect(drawn.size).toBeGreaterThan(200);
});

test("a whole vocabulary", () => {
  const rng = new CounterRng(6, "sampler");
  const logits = randomLogits(rng, 128_256);
  for (const sampling of [
    { temperature: 1 },
    { temperature: 0.8, topP: 0.9 },
    { temperature: 2, topK: 1000 },
    { temperature: 1, minP: 0.02 },
  ]) {
    for (let before = 0; before < 5; before++) {
      const id = addon.drawToken(logits, Float64Array.from(samplingValues(sampling, before)));
      expect(id).toBe(drawToken(logits, sampling, before));
    }
  }
});
