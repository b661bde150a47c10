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
