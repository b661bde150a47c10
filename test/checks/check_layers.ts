/**
 * Checks who may import whom (`npm run check:layers`): prints every import that breaks a rule, exit code 1 if any.
 *
 *   src                          imports only src
 *   training, export, native     import src and themselves, never one another
 *   cli, experiments, test   are roofs: they may import everything, and nobody outside imports them
 *   index.ts                     the package's entry: a roof, too
 *   C++: addon -> {training, inference} -> core; <napi.h> only in addon; #include lines in quotes are project files
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export interface Violation {
  file: string;
  imported: string;
  rule: string;
}

const roofs = new Set(["cli", "experiments", "test", "index.ts"]);
const siblings = new Set(["training", "export", "native"]);

/** The room of a TypeScript file: its top-level folder, or index.ts. Paths use "/". */
function room(file: string): string {
  return file.split("/")[0]!;
}

/** The rule that `file` breaks by importing `imported` (both relative to the root), or null. */
export function typeScriptViolation(file: string, imported: string): string | null {
  const from = room(file);
  const to = room(imported);
  if (from === to || roofs.has(from)) return null;
  if (roofs.has(to)) return `${to} is a roof: nobody imports it`;
  if (from === "src") return "src imports only src";
  if (siblings.has(from) && siblings.has(to)) return `${from} and ${to} are siblings: they meet only in cli`;
  return null;
}

const coreRank: Record<string, number> = { core: 0, training: 1, inference: 1, addon: 2 };

/** The rule that a C++ file in `native/cc/<folder>` breaks by including `header` (as written), or null. */
export function nativeViolation(folder: string, header: string): string | null {
  if (header === "napi.h" || header === "node_api.h") {
    return folder === "addon" ? null : "only native/cc/addon knows Node";
  }
  const target = header.split("/")[0]!;
  if (!(target in coreRank) || target === folder) return null;
  return coreRank[target]! < coreRank[folder]! ? null : `${folder} must not include ${target}`;
}

function* filesBelow(folder: string, endings: readonly string[]): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (["node_modules", "build", "dist", ".git"].includes(entry.name)) continue;
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(file, endings);
    else if (endings.some((ending) => entry.name.endsWith(ending))) yield file;
  }
}

/** Import, export-from and dynamic import specifiers, and `new URL("./x.ts", import.meta.url)` of workers. */
const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|new URL\(\s*)["'](\.{1,2}\/[^"']+)["']/g;
const includePattern = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm;

export function checkLayers(root: string): Violation[] {
  const violations: Violation[] = [];
  for (const top of ["cli", "src", "training", "export", "native", "experiments", "test"]) {
    for (const file of filesBelow(path.join(root, top), [".ts", ".mjs"])) {
      const relative = path.relative(root, file).split(path.sep).join("/");
      for (const match of readFileSync(file, "utf8").matchAll(importPattern)) {
        const imported = path.posix.normalize(path.posix.join(path.posix.dirname(relative), match[1]!));
        const rule = typeScriptViolation(relative, imported);
        if (rule) violations.push({ file: relative, imported, rule });
      }
    }
  }
  for (const folder of Object.keys(coreRank)) {
    for (const file of filesBelow(path.join(root, "native/cc", folder), [".cc", ".h", ".inc"])) {
      for (const match of readFileSync(file, "utf8").matchAll(includePattern)) {
        const rule = nativeViolation(folder, match[1]!);
        if (rule) violations.push({ file: path.relative(root, file), imported: match[1]!, rule });
      }
    }
  }
  return violations;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const violations = checkLayers(path.join(path.dirname(fileURLToPath(import.meta.url)), "../.."));
  for (const { file, imported, rule } of violations) console.error(`${file}: imports ${imported}: ${rule}`);
  console.log(violations.length ? `${violations.length} layering violations` : "layers: every import keeps the rules");
  process.exitCode = violations.length ? 1 : 0;
}
