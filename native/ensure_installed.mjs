/**
 * Installs the locked dependencies and builds the addon if this clone has not done so yet. With --strict an addon that
 * cannot be built ends it. Plain Node, no imports from node_modules.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");

function run(command, args) {
  console.log(`> ${command} ${args.join(" ")}`);
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** npm writes node_modules/.package-lock.json last; a package missing there means that the lock has moved on. */
function dependenciesAreInstalled() {
  const marker = path.join(root, "node_modules/.package-lock.json");
  if (!existsSync(marker)) return false;
  const wanted = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(marker, "utf8")).packages;
  return Object.entries(wanted).every(
    ([name, entry]) => name === "" || entry.optional || entry.link || installed[name]?.version === entry.version,
  );
}

if (!dependenciesAreInstalled()) run("npm", ["ci", "--no-fund", "--no-audit"]);
// A build that is up to date takes a tenth of a second; one that lags behind its sources would break the bits.
run(process.execPath, ["native/build_addon.mjs", ...process.argv.slice(2)]);
