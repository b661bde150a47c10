/**
 * Starts a command. In a source tree the TypeScript runs as it is (through tsx), so an edit takes effect at once;
 * in an installed package, which has no sources, the compiled files run.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export async function run(command) {
  const source = new URL(`../${command}.ts`, import.meta.url);
  if (existsSync(fileURLToPath(source))) {
    const { register } = await import("tsx/esm/api");
    register();
    await import(source.href);
  } else {
    await import(new URL(`../../dist/cli/${command}.js`, import.meta.url).href);
  }
}
