/**
 * Builds native/build/Release/bitnet_native.node with the C++ compiler of the machine.
 *
 * Runs as the package's install script and as `npm run build:native`. The Node-API headers come from the
 * `node-api-headers` package, so nothing is downloaded. Without a compiler the install still succeeds: the
 * wasm and cpu backends work without the addon. `--strict` makes a failed build an error.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError, compileAddon } from "./compile_addon.mjs";

const require = createRequire(import.meta.url);
const nativeDirectory = path.dirname(fileURLToPath(import.meta.url));
const strict = process.argv.includes("--strict");

const compilers = {
  linux: "a C++17 compiler (apt install g++, dnf install gcc-c++, apk add g++)",
  darwin: "a C++17 compiler (xcode-select --install)",
  win32: "Visual Studio Build Tools and python3",
};

/** On Windows node-gyp finds the compiler, and downloads the node.lib that an addon is linked with. */
function buildWithNodeGyp() {
  const gyp = require.resolve("node-gyp/bin/node-gyp.js");
  const gypArguments = [gyp, "configure", "build", "-C", nativeDirectory, "-j", String(availableParallelism())];
  const result = spawnSync(process.execPath, gypArguments, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (result.status === 0) return;
  throw new BuildError("node-gyp failed", `${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}`);
}

async function build() {
  if (process.platform === "win32") return buildWithNodeGyp();
  const includes = [require("node-api-headers").include_dir, path.dirname(require.resolve("node-addon-api"))];
  await compileAddon(nativeDirectory, includes, (files) => {
    if (files > 1) console.log(`bitnet-lab: compiling the native addon (${files} files, about a minute)`);
  });
}

try {
  await build();
} catch (error) {
  const log = error instanceof BuildError ? error.log : "";
  if (log !== "") console.error(log.trimEnd().split("\n").slice(-60).join("\n"));
  const needed = compilers[process.platform] ?? compilers.linux;
  const script = fileURLToPath(import.meta.url);
  const quoted = /[^\w./@+:\\-]/.test(script) ? `'${script.replaceAll("'", "'\\''")}'` : script;
  const again = `node ${quoted} --strict`;
  console.error(
    `bitnet-lab: the native addon was not built: ${error.message}. It needs ${needed}; then run: ${again}` +
      (strict ? "" : ". Until then training runs on the wasm and cpu backends, slowly, and GGUF files do not run."),
  );
  if (strict) process.exitCode = 1;
}
