/**
 * Checks the house (`npm run check:layers`): who imports whom (rooms.ts), no import circles, the engine without tfjs, no
 * file over 400 lines, the README's file tree, dependencies in their drawers, no quantizer named outside its file. Prints every violation; exit code 1
 * if there is any.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { drawerViolations, type Manifest } from "./dependency_drawers.ts";
import { importCircles, loadedPackage } from "./import_graph.ts";
import { declaredNames, quantizerNameViolations } from "./quantizer_names.ts";
import { treeViolations } from "./readme_tree.ts";
import { includeViolations, roomViolations, type Violation } from "./rooms.ts";
import { readImports, sourceFiles } from "./source_files.ts";

const mostLines = 400;

/** Must run where tfjs is not installed. */
const withoutTensorflow = [
  "native/inference/index.ts",
  "src/eval/index.ts",
  "cli/eval/run_evaluation.ts",
  "cli/eval/overlap_check.ts",
];

/** Of a file with a line feed at its end. */
export function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

function engineViolations(imports: ReturnType<typeof readImports>): Violation[] {
  return withoutTensorflow.flatMap((entry) => {
    const way = loadedPackage(imports, entry, (name) => name.startsWith("@tensorflow/"));
    return way === null ? [] : [{ file: entry, rule: `loads tfjs: ${way.join(" -> ")}` }];
  });
}

function isProduct(file: string): boolean {
  return /^(src|training|export|native|cli)\/.*\.(ts|mjs)$/.test(file) && !file.startsWith("native/check/");
}

function isShipped(file: string): boolean {
  return isProduct(file) || file === "index.ts" || file === "native/build_addon.mjs";
}

export function checkLayers(root: string): Violation[] {
  const files = sourceFiles(root);
  const text = (file: string) => readFileSync(path.join(root, file), "utf8");
  const imports = readImports(root, files);
  const quantizerFiles = files.filter((file) => file.startsWith("src/quantizers/"));
  const names = declaredNames(quantizerFiles.map(text));
  return [
    ...roomViolations(imports),
    ...importCircles(imports),
    ...engineViolations(imports),
    ...files
      .filter((file) => /^native\/cc\/.*\.(cc|h|inc)$/.test(file))
      .flatMap((file) => includeViolations(file, text(file))),
    ...files
      .filter((file) => /\.(ts|mjs|cc|h)$/.test(file) && lineCount(text(file)) > mostLines)
      .map((file) => ({
        file,
        rule: `has ${lineCount(text(file))} lines, more than ${mostLines}: cut it in two ideas`,
      })),
    ...drawerViolations(JSON.parse(text("package.json")) as Manifest, imports, isShipped),
    ...treeViolations(text("README.md"), files),
    ...files
      .filter((file) => isProduct(file) && !quantizerFiles.includes(file))
      .flatMap((file) => quantizerNameViolations(file, text(file), names)),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const violations = checkLayers(path.join(path.dirname(fileURLToPath(import.meta.url)), "../.."));
  for (const { file, rule } of violations) console.error(`${file}: ${rule}`);
  console.log(
    violations.length > 0 ? `${violations.length} violations of the house's rules` : "layers: every rule is kept",
  );
  process.exitCode = violations.length > 0 ? 1 : 0;
}
