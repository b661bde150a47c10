/**
 * Runs tests on another version of Node:
 *
 *     npx --yes --package node@24 -c 'node experiments/on_node.mjs'        the tests of real inputs, on Node 24
 *     node experiments/on_node.mjs --node /opt/node-22/bin/node test/cli    some tests, on a node of one's own
 *
 * Arguments after -- go to vitest. Without --node it is the node that runs this. The addon is the one that is built: Node-API is the same for all.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** Where files, machines and habits of users are tried. */
const realInputs = [
  "test/data",
  "test/files",
  "test/machine",
  "test/jinja",
  "test/python",
  "test/tokenizer",
  "test/training/data",
  "test/eval",
  "test/errors",
  "test/checkpoint",
  "test/native/compile_addon.test.ts",
  "test/cli",
];

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");
const { values, positionals } = parseArgs({ options: { node: { type: "string" } }, allowPositionals: true });
const node = path.resolve(values.node ?? process.execPath);
const { stdout: version, error } = spawnSync(node, ["--version"], { encoding: "utf8" });
if (error) {
  console.error(`${node} cannot be run: ${error.message}`);
  process.exit(2);
}
console.log(`tests on Node ${version.trim()}`);
const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
const hasTests = positionals.some((argument) => !argument.startsWith("-"));
const chosen = hasTests ? positionals : [...realInputs, ...positionals];
// What the tests call `node` is this one, too.
const PATH = `${path.dirname(node)}${path.delimiter}${process.env.PATH}`;
const { status } = spawnSync(node, [vitest, "run", ...chosen], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH },
});
process.exitCode = status ?? 1;
