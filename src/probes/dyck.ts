/** What closes the brackets that are open (the Dyck language with several kinds of brackets): `dyck ([]{=})`. */
import { defineProbe } from "./probe.ts";

const open = "([{<";
const close = ")]}>";

export const dyck = defineProbe({
  name: "dyck",
  options: {
    kinds: { default: 2, least: 1, most: 4 },
    /** Of the beginning, at most. */
    length: { default: 12, least: 1, most: 100 },
  },
  draw({ kinds, length }, rng) {
    const stack: number[] = [];
    let text = "";
    const wanted = 1 + rng.integer(length);
    // One bracket stays open: there is always something to close.
    while (text.length < wanted) {
      if (stack.length > 1 && rng.integer(2) === 1) {
        text += close[stack.pop()!];
        continue;
      }
      const kind = rng.integer(kinds);
      stack.push(kind);
      text += open[kind];
    }
    return {
      prompt: `dyck ${text}=`,
      answer: stack
        .reverse()
        .map((kind) => close[kind])
        .join(""),
    };
  },
});
