/**
 * `bitnet-lab/inference` runs without tfjs: nothing that it imports at run time, at any distance, is of tfjs. Type imports
 * do not count, nor what is imported only when a function asks for it.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.join(import.meta.dirname, "../../..");

/** `import x from "y"`, `import "y"` and `export ... from "y"`; not `import type` or `export type`. */
const runTimeImport = /^(?:import|export)\s+(?!type\b)(?:[^"';]*?\bfrom\s+)?"([^"]+)";/gm;

/** Packages that a file needs when it is loaded, each with the files through which it is reached. */
function packagesOf(file: string): Map<string, string> {
  const packages = new Map<string, string>();
  const seen = new Set<string>();
  const visit = (current: string, way: string) => {
    if (seen.has(current)) return;
    seen.add(current);
    for (const [, specifier] of readFileSync(current, "utf8").matchAll(runTimeImport)) {
      if (!specifier.startsWith(".")) {
        packages.set(specifier, way);
        continue;
      }
      const imported = path.join(path.dirname(current), specifier);
      if (!existsSync(imported)) throw new Error(`${current} imports ${specifier}, which is not there`);
      visit(imported, `${way} -> ${path.relative(root, imported)}`);
    }
  };
  visit(path.join(root, file), file);
  return packages;
}

const ofTfjs = (packages: Map<string, string>) => [...packages].filter(([name]) => name.startsWith("@tensorflow/"));

test("the engine's entry", () => {
  const packages = packagesOf("native/inference/index.ts");
  // The tokenizer's library: imports are followed.
  expect([...packages.keys()]).toContain("oniguruma-to-es");
  expect(ofTfjs(packages)).toEqual([]);
});

test("opening a model, before it is known what it is", () => {
  expect(ofTfjs(packagesOf("native/open_model.ts"))).toEqual([]);
});

test("the model of a checkpoint does need it", () => {
  expect(ofTfjs(packagesOf("src/language_model/tfjs_language_model.ts"))).not.toEqual([]);
});
