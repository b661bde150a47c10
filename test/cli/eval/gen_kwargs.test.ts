import { expect, test } from "vitest";
import { parseGenKwargs } from "../../../cli/eval/gen_kwargs.ts";

test("overrides and their other names", () => {
  expect(parseGenKwargs("max_gen_toks=96,temperature=0")).toEqual({ max_gen_toks: 96, temperature: 0 });
  expect(parseGenKwargs("max_new_tokens=7, do_sample=True, temperature=0.7,top_k=40,top_p=0.9,until=a=b")).toEqual({
    max_gen_toks: 7,
    do_sample: true,
    temperature: 0.7,
    top_k: 40,
    top_p: 0.9,
    until: ["a=b"],
  });
});

test("JSON, with several stops", () => {
  expect(parseGenKwargs('{"until": ["a,b", "\\n"], "max_gen_toks": 5, "do_sample": true, "temperature": 0.5}')).toEqual(
    {
      until: ["a,b", "\n"],
      max_gen_toks: 5,
      do_sample: true,
      temperature: 0.5,
    },
  );
  expect(() => parseGenKwargs('{"until": ')).toThrow("not valid JSON");
  expect(() => parseGenKwargs('{"until": [1]}')).toThrow("until");
});

test.each([
  ["max_gen_tok=3", 'unknown key "max_gen_tok"; the nearest is max_gen_toks'],
  ["max_gen_toks", "max_gen_toks must be a whole number of at least 1"],
  ["max_gen_toks=0", "max_gen_toks must be a whole number of at least 1"],
  ["temperature=hot", "temperature must be a number from 0"],
  ["top_p=2", "top_p must be a number above 0 and at most 1"],
  ["do_sample=maybe", "do_sample must be true or false"],
  ["temperature=0.7", "needs do_sample=true"],
])("%s is refused", (text, message) => {
  expect(() => parseGenKwargs(text)).toThrow(message);
});
