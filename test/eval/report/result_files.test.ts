/** Names of the folders that results are written into. */
import { expect, test } from "vitest";
import { fileName } from "../../../src/eval/report/results.ts";

test.each([
  ["runs/small", "runs__small"],
  ["../base.gguf", "base.gguf"],
  ["./../../a b/base.gguf", "a__b__base.gguf"],
  ["/home/me/.cache/m.gguf", "home__me__.cache__m.gguf"],
  ["http://127.0.0.1:8791/v1 fake", "http__127.0.0.1__8791__v1__fake"],
  ["C:\\models\\m.gguf", "C__models__m.gguf"],
  [".hidden", "hidden"],
  ["..", "model"],
])("%s is written into %s: not hidden, without blanks", (name, folder) => expect(fileName(name)).toBe(folder));
