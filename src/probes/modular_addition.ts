/** Sums modulo a number, the table on which grokking was found (Power et al., arXiv 2201.02177): `85+40 mod 97=28`. */
import { defineProbe } from "./probe.ts";

export const modularAddition = defineProbe({
  name: "modular_addition",
  options: { modulus: { default: 97, least: 2, most: 9999 } },
  draw({ modulus }, rng) {
    const [a, b] = [rng.integer(modulus), rng.integer(modulus)];
    return { prompt: `${a}+${b} mod ${modulus}=`, answer: String((a + b) % modulus) };
  },
});
