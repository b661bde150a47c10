/**
 * A sweep of 12 runs that is killed with -9 at three random moments ends with the summary of an uninterrupted one, to the byte.
 *
 *     npx tsx experiments/studies/sweep_kills.ts [--seed N]
 *
 * Takes a few minutes. The test of the suite does the same with three runs (test/cli/bitnet_sweep.test.ts).
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { CounterRng } from "../../src/random/counter_rng.ts";

const kills = 3;
const sweep = `
method: list
runs:
  - {name: tensor}
  - {name: row, model.weight_quantizer: absmean_ternary_row}
  - {name: float, model: {weight_quantizer: none, activation_quantizer: none}}
  - {name: wild, optimizer.learning_rate: 1.0e+38, model: {weight_quantizer: none, activation_quantizer: none}}
seeds: [1, 2, 3]
`;

const command = path.resolve(import.meta.dirname, "../../cli/bin/bitnet-sweep.mjs");
const { values } = parseArgs({ options: { seed: { type: "string", default: String(Date.now()) } } });
const folder = mkdtempSync(path.join(tmpdir(), "sweep-kills-"));
const options = { cwd: folder, env: { ...process.env, BITNET_CACHE: path.join(folder, "cache") } };
const start = ["--config", "sweep.yaml", "--base", "tiny.yaml"];

function finish(...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [command, ...args], { ...options, encoding: "utf8" });
  if (status !== 0) throw new Error(`bitnet-sweep ${args.join(" ")}: ${stderr}`);
}

/** Rows of metrics of all runs. */
function rowsIn(out: string): number {
  const runs = path.join(folder, out, "runs");
  const files = existsSync(runs) ? readdirSync(runs).map((name) => path.join(runs, name, "metrics.jsonl")) : [];
  const rows = files.map((file) => (existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0));
  return rows.reduce((sum, count) => sum + count, 0);
}

/** Kills the sweep after so many more rows, and so many milliseconds. */
async function startAndKill(out: string, rows: number, milliseconds: number): Promise<void> {
  const enough = rowsIn(out) + rows;
  const child = spawn(process.execPath, [command, ...start, "--out", out], { ...options, stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  while (child.exitCode === null && rowsIn(out) < enough) await sleep(5);
  await sleep(milliseconds);
  child.kill("SIGKILL");
  await ended;
}

try {
  writeFileSync(path.join(folder, "sweep.yaml"), sweep);
  finish(...start, "--out", "whole");
  const rng = new CounterRng(Number(values.seed), "kill a sweep");
  const total = rowsIn("whole");
  for (let kill = 0; kill < kills; kill++) {
    // Anywhere in the next third of the sweep.
    await startAndKill("killed", 1 + rng.integer(Math.floor(total / kills) - 1), rng.integer(500));
    console.log(`kill ${kill + 1}: ${rowsIn("killed")} of ${total} rows of metrics were written`);
  }
  finish("--out", "killed");
  const [whole, killed] = ["whole", "killed"].map((out) => readFileSync(path.join(folder, out, "summary.json")));
  const same = whole.equals(killed);
  console.log(`seed ${values.seed}: ${whole.length} bytes of summary, ${same ? "the same" : "DIFFERENT"}`);
  process.exitCode = same ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
