/** The files that git tracks, and what the TypeScript ones import: what the checks of the house read. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

export interface Import {
  /** Path from the root with "/": the file that imports. */
  file: string;
  /** Path from the root, or the name of a package. */
  imported: string;
  isPackage: boolean;
  /** Gone at run time: `import type`, or `@import` in a comment of JavaScript. */
  isType: boolean;
  /** `import()`: loaded when it is reached. */
  isDynamic: boolean;
}

/** Tracked files and new ones that git does not ignore, as paths from the root with "/", sorted. */
export function sourceFiles(root: string): string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const files = new Set(listed.split("\n").filter((file) => file !== ""));
  return [...files].filter((file) => existsSync(path.join(root, file))).sort();
}

export function isTypeScript(file: string): boolean {
  return file.endsWith(".ts") || file.endsWith(".mjs");
}

const statement =
  /(?:^|[\n;*])[ \t]*(@?import|export)\s+(type\s)?(?:[\w$*{][^;"'`]*?\s+from\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|\bnew URL\(\s*["'](\.{1,2}\/[^"']+)["']/g;

/** Every import, re-export and dynamic import of one file's text. `new URL("./x.ts", import.meta.url)` (of workers) counts. */
export function importsOf(file: string, text: string): Import[] {
  return Array.from(text.matchAll(statement), ([, keyword, type, plain, dynamic, worker]) => {
    const specifier = plain ?? dynamic ?? worker;
    const isPackage = !specifier.startsWith(".");
    return {
      file,
      imported: isPackage ? specifier : path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)),
      isPackage,
      isType: type !== undefined || keyword === "@import",
      isDynamic: plain === undefined,
    };
  });
}

/** The imports of all TypeScript files among `files`. */
export function readImports(root: string, files: readonly string[]): Import[] {
  return files.filter(isTypeScript).flatMap((file) => importsOf(file, readFileSync(path.join(root, file), "utf8")));
}
