/**
 * Runs the command that `cli/<name>.ts` exports. In a source tree the TypeScript runs as it is (through tsx), so an edit
 * takes effect at once; in an installed package, which has no sources, the compiled files run.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @param {string} name file in `cli`, without its ending */
export async function run(name) {
  const sources = new URL("../command.ts", import.meta.url);
  const isSourceTree = existsSync(fileURLToPath(sources));
  if (isSourceTree) {
    const { register } = await import("tsx/esm/api");
    register();
  }
  const file = (base) =>
    isSourceTree ? new URL(`../${base}.ts`, import.meta.url) : new URL(`../../dist/cli/${base}.js`, import.meta.url);
  const { runCommand } = await import(file("command").href);
  const { command } = await import(file(name).href);
  await runCommand(command);
}
