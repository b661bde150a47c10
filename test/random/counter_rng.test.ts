import { describe, expect, it } from "vitest";
import { CounterRng } from "../../src/random/counter_rng.ts";

const draw = (rng: CounterRng, count: number) => Array.from({ length: count }, () => rng.uniform());

describe("CounterRng", () => {
  it("resumes from its counter", () => {
    const rng = new CounterRng(7, "test");
    draw(rng, 10);
    const resumed = new CounterRng(7, "test", rng.counter);
    expect(draw(resumed, 10)).toEqual(draw(rng, 10));
  });

  it("gives other values for another seed or stream", () => {
    const base = draw(new CounterRng(7, "a"), 1000);
    for (const other of [new CounterRng(8, "a"), new CounterRng(7, "b"), new CounterRng(7 + 2 ** 40, "a")]) {
      const values = new Set(draw(other, 1000));
      expect(base.filter((value) => values.has(value))).toEqual([]);
    }
  });

  it("is uniform and uncorrelated, its normal has mean 0 and variance 1", () => {
    const rng = new CounterRng(1, "moments");
    const n = 200_000;
    const buckets = new Array<number>(16).fill(0);
    let serial = 0;
    let previous = 0.5;
    for (let i = 0; i < n; i++) {
      const value = rng.uniform();
      buckets[Math.floor(value * 16)]!++;
      serial += (value - 0.5) * (previous - 0.5);
      previous = value;
    }
    const chiSquare = buckets.reduce((sum, count) => sum + (count - n / 16) ** 2 / (n / 16), 0);
    expect(chiSquare).toBeLessThan(40); // 15 degrees of freedom: p < 0.0005 beyond
    expect(Math.abs(serial / n)).toBeLessThan(5 / (12 * Math.sqrt(n)));
    const normals = Array.from({ length: n }, () => rng.normal());
    const mean = normals.reduce((a, b) => a + b) / n;
    const variance = normals.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
    expect(Math.abs(mean)).toBeLessThan(0.012);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
  });

  it("shuffles to a permutation", () => {
    const shuffled = new CounterRng(3, "shuffle").shuffle(Array.from({ length: 100 }, (_, i) => i));
    expect([...shuffled].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(shuffled[0] === 0 && shuffled[1] === 1 && shuffled[2] === 2).toBe(false);
  });
});
