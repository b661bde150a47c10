/**
 * Runs the command that `cli/<name>.ts` exports. In a source tree the TypeScript runs as it is (through tsx), so an edit
 * takes effect at once; in an installed package, which has no sources, the compiled files run.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** An addon of before a pull would refuse what the sources ask of it, or compute something else. */
async function endIfAddonLagsBehind() {
  const { addon, isNewest } = await import("../../native/compile_addon.mjs");
  const native = fileURLToPath(new URL("../../native", import.meta.url));
  if (!existsSync(path.join(native, addon)) || isNewest(native)) return;
  console.error("the native addon is older than its sources in native/cc: run `npm run build:native`");
  process.exit(1);
}

/** @param {string} name file in `cli`, without its ending */
export async function run(name) {
  const sources = new URL("../command.ts", import.meta.url);
  const isSourceTree = existsSync(fileURLToPath(sources));
  if (isSourceTree) {
    if (!process.argv.includes("--help")) await endIfAddonLagsBehind();
    // It keeps what it compiles among the temporary files, and ends without a line where it cannot.
    if (!isWritable(tmpdir())) process.env.TSX_DISABLE_CACHE = "1";
    const { register } = await import("tsx/esm/api");
    register();
  }
  const file = (base) =>
    isSourceTree ? new URL(`../${base}.ts`, import.meta.url) : new URL(`../../dist/cli/${base}.js`, import.meta.url);
  const { runCommand } = await import(file("command").href);
  const { command } = await import(file(name).href);
  await runCommand(command);
}
