/**
 * Path patterns: `*` and `?` within one folder, `**` through any number of folders, `[abc]`, `{a,b}`. Always with
 * `/`. A name that starts with a dot is matched only by a pattern part that does too.
 */
import { readdir } from "node:fs/promises";
import path from "node:path";

export function isGlob(text: string): boolean {
  return /[*?[{]/.test(text);
}

/** Expression that matches whole paths. An unclosed bracket or brace stands for itself. */
export function globToRegExp(pattern: string): RegExp {
  let source = "";
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i];
    const partStart = i === 0 || pattern[i - 1] === "/";
    if (partStart && pattern.startsWith("**", i) && (i + 2 === pattern.length || pattern[i + 2] === "/")) {
      // "**/" may match nothing; a last "**" matches everything below.
      source += i + 2 === pattern.length ? "(?:(?!\\.)[^/]+/)*(?!\\.)[^/]+" : "(?:(?!\\.)[^/]+/)*";
      i += 2;
    } else if (character === "*") {
      source += partStart ? "(?!\\.)[^/]*" : "[^/]*";
    } else if (character === "?") {
      source += partStart ? "[^/.]" : "[^/]";
    } else if (character === "[" && pattern.indexOf("]", i + 2) > 0) {
      const end = pattern.indexOf("]", i + 2);
      const body = pattern
        .slice(i + 1, end)
        .replaceAll("\\", "\\\\")
        .replaceAll("[", "\\[");
      source += `[${body.replace(/^[!^]/, "^/")}]`;
      i = end;
    } else if (character === "{" && pattern.indexOf("}", i) > 0) {
      source += "(?:";
      depth++;
    } else if (character === "}" && depth > 0) {
      source += ")";
      depth--;
    } else if (character === "," && depth > 0) {
      source += "|";
    } else {
      source += character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
    }
  }
  return new RegExp(`^${source}$`, "s");
}

/** Every file below `folder`, as paths relative to it with `/`, sorted. Follows no links to folders. */
export async function listFilesBelow(folder: string, depth = Number.POSITIVE_INFINITY): Promise<string[]> {
  const found: string[] = [];
  const walk = async (relative: string, level: number): Promise<void> => {
    for (const entry of await readdir(path.join(folder, relative), { withFileTypes: true })) {
      const name = relative === "" ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) {
        if (level < depth) await walk(name, level + 1);
      } else {
        found.push(name);
      }
    }
  };
  await walk("", 1);
  // By code units: the same order on every machine and in every locale.
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Files that `pattern` matches, sorted. Only the folders below its fixed part are read. */
export async function expandGlob(pattern: string): Promise<string[]> {
  const parts = pattern.split(path.sep === "\\" ? /[\\/]/ : "/");
  const fixed = parts.slice(0, -1);
  const firstGlob = fixed.findIndex(isGlob);
  const base = firstGlob < 0 ? fixed : fixed.slice(0, firstGlob);
  const rest = parts.slice(base.length);
  const folder = base.join("/") || (pattern.startsWith("/") ? "/" : ".");
  const expression = globToRegExp(rest.join("/"));
  const depth = rest.includes("**") ? Number.POSITIVE_INFINITY : rest.length;
  const files = await listFilesBelow(folder, depth).catch(() => []);
  return files.filter((file) => expression.test(file)).map((file) => path.join(folder, file));
}
