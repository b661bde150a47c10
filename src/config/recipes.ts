/** Recipes that come with the package: experiments/recipes/NAME.yaml. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The recipes' folder: found from the nearest package.json above, so it is the same from the sources and from `dist`. */
function recipesDirectory(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, "package.json")) && path.dirname(folder) !== folder) {
    folder = path.dirname(folder);
  }
  return path.join(folder, "experiments/recipes");
}

/** File names of the shipped recipes ("small.yaml"), sorted. */
export function recipeNames(): string[] {
  const directory = recipesDirectory();
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(".yaml"))
    .sort();
}

/** Path of the shipped recipe of that name, with or without `.yaml`; undefined if there is none. */
export function recipePath(name: string): string | undefined {
  const file = recipeNames().find((recipe) => recipe === name || recipe === `${name}.yaml`);
  return file ? path.join(recipesDirectory(), file) : undefined;
}
