/** Whether the number of ones is odd: `parity 10110=1`. Half of the answers are right by chance. */
import { defineProbe, drawText } from "./probe.ts";

export const parity = defineProbe({
  name: "parity",
  options: {
    /** Of the bits, at most; every length is equally likely. */
    length: { default: 10, least: 1, most: 100 },
  },
  draw({ length }, rng) {
    const bits = drawText("01", 1 + rng.integer(length), rng);
    const ones = [...bits].filter((bit) => bit === "1").length;
    return { prompt: `parity ${bits}=`, answer: String(ones % 2) };
  },
});
