/** The same letters again: `copy gattac=gattac`. */
import { defineProbe, drawText } from "./probe.ts";

export const copy = defineProbe({
  name: "copy",
  options: {
    /** Of the text, at most; every length is equally likely. */
    length: { default: 8, least: 1, most: 100 },
    letters: { default: 26, least: 2, most: 26 },
  },
  draw({ length, letters }, rng) {
    const text = drawText("abcdefghijklmnopqrstuvwxyz".slice(0, letters), 1 + rng.integer(length), rng);
    return { prompt: `copy ${text}=`, answer: text };
  },
});
