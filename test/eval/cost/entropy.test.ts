import { gunzipSync, gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { codesPerByte, entropyBits, GzipSize, packDense } from "../../../src/eval/cost/entropy.ts";

it("entropy of known distributions", () => {
  expect(entropyBits([1, 1, 1])).toBeCloseTo(Math.log2(3), 12);
  expect(entropyBits([1, 2, 1])).toBe(1.5);
  expect(entropyBits([0, 7, 0])).toBe(0);
});

it("packs digits of a byte, as many as fit", () => {
  expect([2, 3, 4, 5, 16, 256].map(codesPerByte)).toEqual([8, 5, 4, 3, 2, 1]);
  // The first code is the lowest digit.
  expect([...packDense(Uint8Array.from([2, 1, 0, 0, 2, 1, 2]), 3)]).toEqual([2 + 3 + 2 * 81, 1 + 2 * 3]);
  expect([...packDense(Uint8Array.from([2, 2, 2, 2, 2]), 3)]).toEqual([242]);
});

it("counts what gzip makes of pieces", async () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) % 251);
  const size = new GzipSize();
  for (let begin = 0; begin < bytes.length; begin += 30_000) await size.write(bytes.subarray(begin, begin + 30_000));
  const whole = gzipSync(bytes);
  expect(gunzipSync(whole)).toHaveLength(bytes.length);
  expect(await size.end()).toBe(whole.length);
});
