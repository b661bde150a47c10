/** Recipes that come with the package: experiments/recipes/NAME.yaml. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { packageDirectory } from "../files/package.ts";

function recipesDirectory(): string {
  return path.join(packageDirectory(), "experiments/recipes");
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
