/** Sums of two numbers: `12+345=357`. */
import { defineProbe } from "./probe.ts";

export const addition = defineProbe({
  name: "addition",
  options: {
    /** Of each number, at most; every length is equally likely. */
    digits: { default: 3, least: 1, most: 15 },
  },
  draw({ digits }, rng) {
    const digit = (least: number) => String(least + rng.integer(10 - least));
    const number = () => {
      const length = 1 + rng.integer(digits);
      return BigInt(digit(length > 1 ? 1 : 0) + Array.from({ length: length - 1 }, () => digit(0)).join(""));
    };
    const [a, b] = [number(), number()];
    return { prompt: `${a}+${b}=`, answer: String(a + b) };
  },
});
