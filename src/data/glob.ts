/**
 * Path patterns: `*` and `?` within one folder, `**` through any number of folders, `[abc]`, `{a,b}`. Always with
 * `/`. A name that starts with a dot is matched only by a pattern part that does too.
 */
import { readdir } from "node:fs/promises";
import path from "node:path";
import picomatch from "picomatch";

/** Parentheses and a leading `!` stand for themselves; `data/**` does not match `data`. */
const settings = { noextglob: true, nonegate: true, strictSlashes: true } as const;

export function isGlob(text: string): boolean {
  return /[*?[{]/.test(text);
}

/** True for the whole paths that `pattern` matches. An unclosed bracket or brace stands for itself. */
export function globMatcher(pattern: string): (file: string) => boolean {
  const matches = picomatch(pattern.replaceAll(/[\\()|]/g, "\\$&").replaceAll("[!", "[^"), settings);
  return (file) => matches(file);
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
  const depth = rest.includes("**") ? Number.POSITIVE_INFINITY : rest.length;
  const files = await listFilesBelow(folder, depth).catch(() => []);
  return files.filter(globMatcher(rest.join("/"))).map((file) => path.join(folder, file));
}
