/**
 * Builds native/build/Release/bitnet_native.node with node-gyp and the C++ compiler of the machine.
 *
 * Runs as the package's install script and as `npm run build:native`. The Node-API headers come from the
 * `node-api-headers` package, so nothing is downloaded. Without a compiler the install still succeeds: the
 * wasm and cpu backends work without the addon. `--strict` makes a failed build an error.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const nativeDirectory = path.dirname(fileURLToPath(import.meta.url));
const strict = process.argv.includes("--strict");

/** A node-gyp "nodedir": include/node/ with the headers and the gypi files that node-gyp insists on. */
function prepareNodeDirectory() {
  const nodeDirectory = path.join(nativeDirectory, "build", "node_headers");
  const include = path.join(nodeDirectory, "include", "node");
  mkdirSync(include, { recursive: true });
  cpSync(require("node-api-headers").include_dir, include, { recursive: true });
  const common = {
    target_defaults: {
      default_configuration: "Release",
      configurations: { Release: { defines: ["NDEBUG"] }, Debug: { defines: ["DEBUG"] } },
      conditions: [["OS!='win' and OS!='mac'", { cflags: ["-fPIC", "-pthread"], ldflags: ["-pthread"] }]],
    },
  };
  writeFileSync(path.join(include, "common.gypi"), JSON.stringify(common));
  writeFileSync(path.join(include, "config.gypi"), JSON.stringify({ target_defaults: {}, variables: {} }));
  return nodeDirectory;
}

function main() {
  const gyp = require.resolve("node-gyp/bin/node-gyp.js");
  const gypArguments = [gyp, "configure", "build", "-C", nativeDirectory, "-j", String(availableParallelism())];
  // Windows links against node.lib, which only node-gyp's own download provides.
  if (process.platform !== "win32") gypArguments.push(`--nodedir=${prepareNodeDirectory()}`);
  const result = spawnSync(process.execPath, gypArguments, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (result.status === 0) return;
  const log = `${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}`;
  console.error(log.split("\n").slice(-60).join("\n"));
  console.error(
    "bitnet-lab: the native addon was not built (it needs a C++17 compiler, make and python3; see the log above).\n" +
      "bitnet-lab: training and evaluation still work on the wasm and cpu backends, slowly. " +
      "After installing a compiler run: npm run build:native",
  );
  if (strict) process.exit(1);
}

main();
