/**
 * Who may import whom. A room of `src` imports itself and rooms of a smaller rank, never its own rank; `training`,
 * `export` and `native` import `src` and themselves, never one another; the roofs import everything, and nobody below
 * imports them. In C++: `addon -> {training, inference} -> core`.
 */
import type { Import } from "./source_files.ts";

export interface Violation {
  file: string;
  rule: string;
}

/** Rooms of `src` by rank, the lowest first. */
export const ranks: readonly (readonly string[])[] = [
  ["arrays", "errors", "random"],
  ["files", "machine", "quant", "world", "probes", "python", "statistics"],
  ["jinja", "report"],
  ["tokenizer"],
  ["quantizers", "gguf", "data"],
  ["config"],
  ["ops"],
  ["layers"],
  ["model"],
  ["checkpoint"],
  ["language_model"],
  ["eval"],
  ["inspect"],
];

/** Folders and files of `src/eval` in the same way: what a question needs first, what is made of the answers last. */
export const evalRanks: readonly (readonly string[])[] = [
  ["schema", "cost", "models", "text_score.ts"],
  ["functions"],
  ["score"],
  ["task"],
  ["data"],
  ["prompt"],
  ["request"],
  ["aggregate.ts"],
  ["evaluator.ts"],
  ["group_scores.ts"],
  ["report"],
  ["contamination"],
  ["index.ts"],
];

export const siblings: readonly string[] = ["training", "export", "native"];

/** The commands and entries are roofs of the product, the others of the work on it: the product imports none of these. */
const productRoofs: readonly string[] = ["cli", "index.ts"];
const workRoofs: readonly string[] = ["experiments", "notebooks", "test", "vitest.config.ts"];

function rankRule(file: string, imported: string, order: readonly (readonly string[])[], depth: number): string | null {
  const name = (path: string) =>
    path
      .split("/")
      .slice(0, depth + 1)
      .join("/");
  const rankOf = (path: string) => order.findIndex((rooms) => rooms.includes(path.split("/")[depth]));
  const [from, to] = [name(file), name(imported)];
  if (from === to) return null;
  const [fromRank, toRank] = [rankOf(file), rankOf(imported)];
  if (fromRank < 0) return `${from} has no rank (test/checks/rooms.ts)`;
  if (toRank < 0) return `${to} has no rank (test/checks/rooms.ts)`;
  return toRank < fromRank ? null : `${from} (rank ${fromRank}) must not import ${to} (rank ${toRank})`;
}

function insideSrc(file: string, imported: string): string | null {
  const isInsideEval = file.startsWith("src/eval/") && imported.startsWith("src/eval/");
  return isInsideEval ? rankRule(file, imported, evalRanks, 2) : rankRule(file, imported, ranks, 1);
}

/** The rule that `file` breaks by importing `imported` (paths from the root), or null. */
export function importRule(file: string, imported: string): string | null {
  const [from, to] = [file.split("/")[0], imported.split("/")[0]];
  if (workRoofs.includes(from)) return null;
  if (workRoofs.includes(to)) return `${to} is not part of the product: ${from} must not import it`;
  if (from === "src" && to === "src") return insideSrc(file, imported);
  if (from === to || productRoofs.includes(from)) return null;
  if (productRoofs.includes(to)) return `${to} is a roof: nobody below imports it`;
  if (from === "src") return "src imports only src";
  if (siblings.includes(from) && siblings.includes(to))
    return `${from} and ${to} are siblings: they meet only in a roof`;
  return null;
}

export function roomViolations(imports: readonly Import[]): Violation[] {
  return imports.flatMap(({ file, imported, isPackage }) => {
    // The machine-code check and its like are scripts beside the C++ they read.
    const rule = isPackage ? null : importRule(file, imported);
    return rule === null ? [] : [{ file, rule: `imports ${imported}: ${rule}` }];
  });
}

const coreRank: Record<string, number> = { core: 0, training: 1, inference: 1, addon: 2 };

/** The rule that a C++ file in `native/cc/<folder>` breaks by including `header` (as written), or null. */
export function includeRule(folder: string, header: string): string | null {
  if (header === "napi.h" || header === "node_api.h") {
    return folder === "addon" ? null : "only native/cc/addon knows Node";
  }
  const target = header.split("/")[0];
  if (!(target in coreRank) || target === folder) return null;
  return coreRank[target] < coreRank[folder] ? null : `${folder} must not include ${target}`;
}

const includePattern = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm;

/** @param text of a C++ file below native/cc */
export function includeViolations(file: string, text: string): Violation[] {
  const folder = file.split("/")[2];
  return Array.from(text.matchAll(includePattern), ([, header]) => ({ header, rule: includeRule(folder, header) }))
    .filter(({ rule }) => rule !== null)
    .map(({ header, rule }) => ({ file, rule: `includes ${header}: ${rule}` }));
}
