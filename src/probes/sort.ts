/** Digits in order: `sort 3141=1134`. */
import { defineProbe, drawText } from "./probe.ts";

export const sort = defineProbe({
  name: "sort",
  options: {
    /** Digits, at most; every number of them is equally likely. */
    length: { default: 6, least: 1, most: 100 },
  },
  draw({ length }, rng) {
    const digits = drawText("0123456789", 1 + rng.integer(length), rng);
    return { prompt: `sort ${digits}=`, answer: [...digits].sort().join("") };
  },
});
