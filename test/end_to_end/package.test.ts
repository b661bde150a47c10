/** The package as users have it: packed, installed in a project outside of the checkout, type-checked there and run. */
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PackedProject, packedProject } from "../support/packed_project.ts";
import { hasNative } from "../support/tfjs_backends.ts";

describe.runIf(hasNative)("the packed package", { timeout: 300_000 }, () => {
  let project: PackedProject;

  beforeAll(() => {
    project = packedProject(path.join(import.meta.dirname, "../support/outside_project"));
    project.run("tsc", ["-p", "tsconfig.json"]);
  }, 300_000);
  afterAll(() => project?.remove());

  it("holds what runs, and no sources, tests or tools of the checkout", () => {
    const folders = new Set(project.files.map((file) => file.split("/").slice(0, 2).join("/")));
    expect([...folders].sort()).toEqual([
      "LICENSE",
      "README.md",
      "cli/bin",
      "cli/dashboard",
      "dist/cli",
      "dist/export",
      "dist/index.d.ts",
      "dist/index.js",
      "dist/native",
      "dist/src",
      "dist/training",
      "experiments/recipes",
      "experiments/trackers",
      "native/binding.gyp",
      "native/build_addon.mjs",
      "native/cc",
      "native/compile_addon.mjs",
      "native/serve",
      "package.json",
      "src/eval",
    ]);
    expect(
      project.files.filter((file) => /(\.map|\.test\.|(?<!\.d)\.ts)$|^cli\/.*\.ts$|^dist\/cli\/.*\.d\.ts$/.test(file)),
    ).toEqual([]);
  });

  it("declares types that are right by themselves", () => {
    // tfjs's own declarations have errors of their own, so the compiler fails; ours must not be among them.
    let problems = "";
    try {
      project.run("tsc", ["-p", "tsconfig.json", "--noEmit", "--skipLibCheck", "false"]);
    } catch (error) {
      problems = (error as Error).message;
    }
    expect(problems).toContain("@tensorflow/tfjs");
    expect(problems).not.toContain("node_modules/bitnet-lab");
  });

  it("trains a layer of ours in a model of the project's own tfjs", () => {
    const { first, last } = JSON.parse(project.run("node", ["out/layers.js"]));
    expect(last).toBeLessThan(first / 4);
  });

  it("trains, exports, evaluates and generates in a few lines each", () => {
    const trained = project.run("node", ["out/train.js", "run", "30"]).trim().split("\n");
    expect(trained.map((line) => line.split(" ")[0])).toEqual(["10", "20", "30", "finished"]);
    expect(Number(trained[2].split(" ")[1])).toBeLessThan(Number(trained[0].split(" ")[1]));
    expect(project.run("node", ["out/export.js", "run", "mine.gguf"])).toBe("tq2_0: 21 ternary matrices equal\n");
    const tables = project.run("node", ["out/evaluate.js", "run", "mine.gguf"]).split(/(?=\|\s*Tasks)/);
    expect(tables).toHaveLength(2);
    expect(tables[1].trim()).toBe(tables[0].trim());
    expect(project.run("node", ["out/generate.js", "mine.gguf"])).not.toBe("");
    expect(project.run("node", ["out/serve.js", "mine.gguf"])).toBe("a page, 5 tokens\n");
  });

  it("has its commands", () => {
    expect(project.run("bitnet-train", ["--version"]).trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
