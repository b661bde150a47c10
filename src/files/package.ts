/** The package itself: where its files are, and its version. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the nearest package.json above: the same from the sources and from `dist`. */
export function packageDirectory(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, "package.json")) && path.dirname(folder) !== folder) {
    folder = path.dirname(folder);
  }
  return folder;
}

/** `0.1.0`. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(path.join(packageDirectory(), "package.json"), "utf8")).version;
}

/** Blanks and whatever a shell would read otherwise are quoted. */
function quoted(file: string): string {
  if (/^[\w./@+:-]+$/.test(file)) return file;
  return process.platform === "win32" ? `"${file}"` : `'${file.replaceAll("'", "'\\''")}'`;
}

/**
 * What to type, in the folder where the user stands, to compile the addon. It does not ask npm, because pnpm and bun skip
 * install scripts, and `npm run` knows those of the user's own project only.
 */
export function buildCommand(folder = packageDirectory(), workingDirectory = process.cwd()): string {
  const script = "native/build_addon.mjs";
  // As the user knows it, where the package manager keeps the package elsewhere and links it.
  const linked = path.join("node_modules", path.basename(folder), script);
  const near = existsSync(path.join(workingDirectory, linked))
    ? linked
    : path.relative(workingDirectory, path.join(folder, script));
  return `node ${quoted(near.startsWith("..") ? path.join(folder, script) : near)} --strict`;
}
