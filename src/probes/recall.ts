/**
 * A value by its key, both earlier in the same line (multi-query associative recall with one query, Arora et al.,
 * arXiv 2312.04927): `recall k4b7m0 b=7`.
 */
import { defineProbe } from "./probe.ts";

export const recall = defineProbe({
  name: "recall",
  options: { pairs: { default: 6, least: 1, most: 26 } },
  draw({ pairs }, rng) {
    const keys = rng.shuffle([..."abcdefghijklmnopqrstuvwxyz"]).slice(0, pairs);
    const values = keys.map(() => String(rng.integer(10)));
    const asked = rng.integer(pairs);
    const text = keys.map((key, i) => key + values[i]).join("");
    return { prompt: `recall ${text} ${keys[asked]}=`, answer: values[asked]! };
  },
});
