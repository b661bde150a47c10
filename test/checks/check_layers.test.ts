import path from "node:path";
import { describe, expect, it } from "vitest";
import { checkLayers, lineCount } from "./check_layers.ts";
import { drawerViolations } from "./dependency_drawers.ts";
import { importCircles, loadedPackage } from "./import_graph.ts";
import { declaredNames, quantizerNameViolations } from "./quantizer_names.ts";
import { treeFolders, treeViolations } from "./readme_tree.ts";
import { importRule, includeRule, includeViolations } from "./rooms.ts";
import { type Import, importsOf } from "./source_files.ts";

const load = (file: string, imported: string, more: Partial<Import> = {}): Import => ({
  file,
  imported,
  isPackage: false,
  isType: false,
  isDynamic: false,
  ...more,
});

describe("imports of a file", () => {
  it("are found in every form, with what they cost at run time", () => {
    const text = `
import * as tf from "@tensorflow/tfjs";
import { a, type B } from "./a.ts";
import type { C } from "../c.ts";
export {
  d,
} from "./deep/d.ts";
import "./side_effect.ts";
const e = await import("./e.ts");
const worker = new Worker(new URL("./worker.ts", import.meta.url));
const text = "import me from './nowhere.ts'";
/** @import { F } from "./f.mjs" */
`;
    const found = importsOf("src/x/y.ts", text).map(
      ({ imported, isType, isDynamic }) => `${imported}${isType ? " type" : ""}${isDynamic ? " dynamic" : ""}`,
    );
    expect(found).toEqual([
      "@tensorflow/tfjs",
      "src/x/a.ts",
      "src/c.ts type",
      "src/x/deep/d.ts",
      "src/x/side_effect.ts",
      "src/x/e.ts dynamic",
      "src/x/worker.ts dynamic",
      "src/x/f.mjs type",
    ]);
  });
});

describe("rooms", () => {
  it("let roofs import everything and siblings only src", () => {
    expect(importRule("cli/bitnet_train.ts", "native/backend/register.ts")).toBeNull();
    expect(importRule("training/trainer.ts", "src/model/causal_lm.ts")).toBeNull();
    expect(importRule("training/trainer.ts", "native/backend/register.ts")).toContain("siblings");
    expect(importRule("src/model/causal_lm.ts", "export/gguf.ts")).toContain("src imports only src");
    expect(importRule("export/gguf.ts", "cli/command.ts")).toContain("roof");
    expect(importRule("index.ts", "native/inference/index.ts")).toBeNull();
    expect(importRule("src/model/causal_lm.ts", "index.ts")).toContain("roof");
    expect(importRule("cli/bitnet_train.ts", "experiments/quickstart.ts")).toContain("not part of the product");
    expect(importRule("test/a.test.ts", "experiments/quickstart.ts")).toBeNull();
  });

  it("know the ranks inside src", () => {
    expect(importRule("src/model/causal_lm.ts", "src/layers/bit_linear.ts")).toBeNull();
    expect(importRule("src/model/causal_lm.ts", "src/model/parameters.ts")).toBeNull();
    expect(importRule("src/layers/bit_linear.ts", "src/model/causal_lm.ts")).toContain("must not import");
    expect(importRule("src/gguf/reader.ts", "src/data/glob.ts")).toContain("must not import src/data");
    expect(importRule("src/eval/report/a.ts", "src/eval/score/b.ts")).toBeNull();
    expect(importRule("src/eval/score/a.ts", "src/eval/task/b.ts")).toContain("src/eval/score (rank 2)");
    expect(importRule("src/new_room/a.ts", "src/data/glob.ts")).toContain("has no rank");
  });

  it("keep Node out of the C++ core and the parts apart", () => {
    expect(includeRule("addon", "napi.h")).toBeNull();
    expect(includeRule("core", "napi.h")).toContain("addon");
    expect(includeRule("inference", "training/attention.h")).toContain("must not include");
    expect(includeRule("core", "inference/engine.h")).toContain("must not include");
    expect(includeRule("training", "core/kernels.h")).toBeNull();
    expect(includeViolations("native/cc/core/a.cc", '#include <vector>\n#include "inference/engine.h"\n')).toHaveLength(
      1,
    );
  });
});

describe("the graph of imports", () => {
  it("shows circles of any length, types included", () => {
    const imports = [
      load("a.ts", "b.ts"),
      load("b.ts", "c.ts", { isType: true }),
      load("c.ts", "a.ts"),
      load("d.ts", "a.ts"),
    ];
    expect(importCircles(imports)).toEqual([
      { file: "c.ts", rule: "closes an import circle: a.ts -> b.ts -> c.ts -> a.ts" },
    ]);
    expect(importCircles(imports.slice(0, 2))).toEqual([]);
  });

  it("shows what a file loads at any distance", () => {
    const tfjs = { isPackage: true };
    const imports = [load("a.ts", "b.ts"), load("b.ts", "c.ts"), load("c.ts", "@tensorflow/tfjs", tfjs)];
    const forbidden = (name: string) => name.startsWith("@tensorflow/");
    expect(loadedPackage(imports, "a.ts", forbidden)).toEqual(["a.ts", "b.ts", "c.ts", "@tensorflow/tfjs"]);
    const lazy = [
      load("a.ts", "b.ts"),
      load("b.ts", "c.ts", { isDynamic: true }),
      load("c.ts", "@tensorflow/tfjs", tfjs),
    ];
    expect(loadedPackage(lazy, "a.ts", forbidden)).toBeNull();
  });
});

describe("the file tree of the README", () => {
  const readme =
    "# x\n\n```\nbitnet-lab/\n  src/         what all share\n    ops/       ops\n  cli/         commands\n  index.ts     entry\n```\n";

  it("is read by its indentation", () => {
    expect(treeFolders(readme)).toEqual(["src", "src/ops", "cli"]);
    expect(treeFolders("no tree")).toBeNull();
  });

  it("must be the disk's", () => {
    const files = ["src/ops/a.ts", "cli/b.ts", "index.ts", ".ci/run"];
    expect(treeViolations(readme, files)).toEqual([]);
    expect(treeViolations(readme, [...files, "src/model/m.ts"])[0].rule).toContain("does not name src/model/");
    expect(treeViolations(readme, ["src/ops/a.ts"])[0].rule).toContain("names cli/, which is not there");
  });
});

describe("names of quantizers", () => {
  const names = declaredNames([
    'export const a = { name: "absmean_ternary" };',
    'name = "twn_ternary"',
    '{ name: "none" }',
  ]);

  it("are those of the files", () => expect([...names]).toEqual(["absmean_ternary", "twn_ternary"]));

  it.each([
    ['if (config.weightQuantizer === "none") return;', 1],
    ['if (model.weight_quantizer.type !== "none") return;', 1],
    ['const q = "twn_ternary";', 1],
    ["// the words absmean_ternary and twn_ternary", 0],
    [" * Default `absmean_ternary`.", 0],
    ["if (quantizer.product === 'values') return;", 0],
  ])("%s: %i", (line, count) => {
    expect(quantizerNameViolations("src/x.ts", line, names)).toHaveLength(count);
  });
});

describe("the house", () => {
  it("counts lines as wc does", () => {
    expect(lineCount("a\nb\n")).toBe(2);
    expect(lineCount("a\nb")).toBe(2);
  });

  it("keeps its rules", () => {
    expect(checkLayers(path.join(import.meta.dirname, "../.."))).toEqual([]);
  });
});

describe("dependencies", () => {
  const manifest = {
    name: "ours",
    dependencies: { yaml: "1" },
    devDependencies: { vitest: "1" },
    peerDependencies: { "@a/tf": "^4" },
  };
  const isProduct = (file: string) => file.startsWith("src/");
  const uses = (file: string, imported: string) => load(file, imported, { isPackage: true });
  const rules = (...imports: Import[]) => drawerViolations(manifest, imports, isProduct).map(({ rule }) => rule);
  const all = [
    uses("src/a.ts", "yaml"),
    uses("src/a.ts", "@a/tf/core"),
    uses("test/a.ts", "vitest"),
    uses("src/a.ts", "node:fs"),
  ];

  it("lie where their users need them", () => {
    expect(rules(...all)).toEqual([]);
    expect(rules(...all, uses("src/b.ts", "vitest"))).toEqual([
      "imports vitest, which is no dependency of the package",
    ]);
    expect(rules(...all, uses("src/b.ts", "zod"))).toEqual(["imports zod, which is no dependency of the package"]);
    expect(rules(...all, uses("test/b.ts", "zod"))).toEqual(["imports zod, which is no development dependency"]);
  });

  it("are used", () => {
    expect(rules(...all.slice(1))).toEqual(["lists yaml, which nothing imports"]);
    expect(rules(uses("test/a.ts", "yaml"), ...all.slice(1))).toContain(
      "yaml is a dependency, but only test/a.ts uses it",
    );
  });
});
