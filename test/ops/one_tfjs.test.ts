import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { secondCopyWarning, tfjsPath } from "../../src/ops/one_tfjs.ts";

let folder: string;
const ours = tfjsPath(import.meta.url);

beforeAll(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "one-tfjs-")));
  const copy = path.join(folder, "with_copy/node_modules/@tensorflow/tfjs");
  mkdirSync(copy, { recursive: true });
  mkdirSync(path.join(folder, "without"));
  writeFileSync(path.join(copy, "package.json"), '{"name":"@tensorflow/tfjs","version":"4.21.0","main":"main.js"}');
  writeFileSync(path.join(copy, "main.js"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("names both copies and what to do", () => {
  const warning = secondCopyWarning(path.join(folder, "with_copy"), ours);
  expect(warning).toContain(path.join(folder, "with_copy/node_modules/@tensorflow/tfjs/main.js"));
  expect(warning).toContain(ours);
  expect(warning).not.toContain("\n");
});

it("says nothing of a project with the same copy or none", () => {
  expect(ours).not.toBeNull();
  expect(secondCopyWarning(process.cwd(), ours)).toBeNull();
  expect(secondCopyWarning(path.join(folder, "without"), ours)).toBeNull();
});
