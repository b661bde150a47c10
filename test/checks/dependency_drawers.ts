/**
 * Every dependency in its right drawer of package.json: what the product imports is a dependency or a peer, what only
 * tests, checks and experiments import is a development dependency, and nothing is listed that nobody imports.
 */
import type { Violation } from "./rooms.ts";
import type { Import } from "./source_files.ts";

export interface Manifest {
  name: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

/**
 * Used without an import that always runs: build tools, programs of npm scripts, what only a source tree needs (tsx), what
 * a browser runs (uplot).
 */
const usedOtherwise = new Set([
  "@biomejs/biome",
  "deno",
  "node-addon-api",
  "node-api-headers",
  "node-gyp",
  "tsx",
  "typescript",
  "@tensorflow/tfjs-node",
  "uplot",
]);

/** `@scope/name` or `name` of an import specifier; null for Node's own modules. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith("node:")) return null;
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

/** @param isProduct whether a file is shipped */
export function drawerViolations(
  manifest: Manifest,
  imports: readonly Import[],
  isProduct: (file: string) => boolean,
): Violation[] {
  const users = new Map<string, { file: string; isProduct: boolean }[]>();
  for (const { file, imported, isPackage } of imports) {
    const name = isPackage ? packageOf(imported) : null;
    if (name !== null) users.set(name, [...(users.get(name) ?? []), { file, isProduct: isProduct(file) }]);
  }
  const shipped = { ...manifest.dependencies, ...manifest.peerDependencies };
  const violations: Violation[] = [];
  for (const [name, files] of users) {
    if (usedOtherwise.has(name) || name === manifest.name) continue;
    const product = files.find((user) => user.isProduct);
    if (product !== undefined && !(name in shipped)) {
      violations.push({ file: product.file, rule: `imports ${name}, which is no dependency of the package` });
    }
    if (product === undefined && !(name in manifest.devDependencies)) {
      violations.push({ file: files[0].file, rule: `imports ${name}, which is no development dependency` });
    }
    if (product === undefined && name in manifest.dependencies) {
      violations.push({ file: "package.json", rule: `${name} is a dependency, but only ${files[0].file} uses it` });
    }
  }
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
    const isTypes = name.startsWith("@types/");
    if (!users.has(name) && !usedOtherwise.has(name) && !isTypes) {
      violations.push({ file: "package.json", rule: `lists ${name}, which nothing imports` });
    }
  }
  return violations;
}
