import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { secondBackendWarning, secondCopyWarning, tfjsPath } from "../../src/ops/one_tfjs.ts";

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

it("names the copies of a backend of another version than tfjs", () => {
  /** A project of these packages, the folder of its modules, and what is said of it. */
  const project = (name: string, packages: readonly string[]) => {
    const modules = path.join(folder, name, "node_modules/@tensorflow");
    for (const each of packages) {
      mkdirSync(path.join(modules, each), { recursive: true });
      writeFileSync(path.join(modules, each, "package.json"), '{"main":"main.js"}');
      writeFileSync(path.join(modules, each, "main.js"), "");
    }
    return { modules, warning: secondBackendWarning(path.join(folder, name, "index.js")) };
  };
  expect(project("same", ["tfjs", "tfjs-backend-cpu"]).warning).toBeNull();
  const own = "tfjs/node_modules/@tensorflow/tfjs-backend-cpu";
  const { modules, warning } = project("other", ["tfjs", own, "tfjs-backend-cpu"]);
  expect(warning).toContain(path.join(modules, own, "main.js"));
  expect(warning).toContain(` and ${path.join(modules, "tfjs-backend-cpu/main.js")};`);
  expect(warning).not.toContain("\n");
});

it("says nothing of a project with the same copy or none", () => {
  expect(ours).not.toBeNull();
  expect(secondCopyWarning(process.cwd(), ours)).toBeNull();
  expect(secondBackendWarning(import.meta.url)).toBeNull();
  expect(secondCopyWarning(path.join(folder, "without"), ours)).toBeNull();
});
