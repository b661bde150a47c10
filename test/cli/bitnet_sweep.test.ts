/** `bitnet-sweep` as a user runs it: killed with -9 and started again it ends in the bits of an undisturbed one. */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { metricsOf, reproducibleMetrics } from "../support/tiny_run.ts";

const command = path.resolve(import.meta.dirname, "../../cli/bin/bitnet-sweep.mjs");
const folder = mkdtempSync(path.join(tmpdir(), "sweep-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const options = { cwd: folder, env: { ...process.env, BITNET_CACHE: path.join(folder, "cache") } };

// One of the runs diverges: that is a result.
const sweep = `
method: list
runs:
  - {name: ternary}
  - {name: float, model: {weight_quantizer: none, activation_quantizer: none}}
  - {name: diverges, optimizer.learning_rate: 1.0e+38, model: {weight_quantizer: none, activation_quantizer: none}}
`;
const settings = ["training.max_steps=12", "training.checkpoint_every=1", "data.world_documents=60"];
const start = ["--config", "sweep.yaml", "--base", "tiny.yaml", "--set", ...settings];

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { ...options, encoding: "utf8" });
  return { status, stdout, stderr };
}

const names = ["diverges-s0", "float-s0", "ternary-s0"];
const runFolder = (out: string, name: string) => path.join(folder, out, "runs", name);
const rowsIn = (out: string) =>
  names.reduce((sum, name) => {
    const file = path.join(runFolder(out, name), "metrics.jsonl");
    return sum + (existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0);
  }, 0);

/** Runs the sweep, and kills it when there are so many more rows of metrics. */
async function runAndKill(out: string, rows: number): Promise<NodeJS.Signals | null> {
  const enough = rowsIn(out) + rows;
  const child = spawn(process.execPath, [command, ...start, "--out", out], { ...options, stdio: "ignore" });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once("exit", (_, signal) => resolve(signal)));
  while (child.exitCode === null && rowsIn(out) < enough) await sleep(5);
  child.kill("SIGKILL");
  return ended;
}

describe("a sweep", () => {
  beforeAll(() => writeFileSync(path.join(folder, "sweep.yaml"), sweep));

  test("ends in the same results, killed or not", async () => {
    const whole = run(...start, "--out", "whole");
    expect(whole).toMatchObject({ status: 0, stderr: "" });
    expect(whole.stdout).toMatch(/diverges-s0 {2}failed: step \d+: the (loss|gradient)/);
    const seed = Date.now();
    const rng = new CounterRng(seed, "kill a sweep");
    for (let kill = 0; kill < 2; kill++) {
      expect(await runAndKill("killed", 1 + rng.integer(8)), `seed ${seed}`).toBe("SIGKILL");
    }
    // Whoever trains on, does so for the update at hand: the next sweep waits for it.
    expect(run("--out", "killed"), `seed ${seed}`).toMatchObject({ status: 0, stderr: "" });
    for (const name of names) {
      expect(reproducibleMetrics(runFolder("killed", name)), name).toEqual(
        reproducibleMetrics(runFolder("whole", name)),
      );
    }
    const [summary, wanted] = ["killed", "whole"].map((out) =>
      readFileSync(path.join(folder, out, "summary.json"), "utf8"),
    );
    expect(summary).toBe(wanted);
  }, 300_000);

  test("uses a finished run that it finds, whatever it is called, if only its results were kept", () => {
    const runs = path.join(folder, "again", "runs");
    cpSync(path.join(folder, "whole"), path.join(folder, "again"), { recursive: true });
    for (const name of readdirSync(runs)) renameSync(path.join(runs, name), path.join(runs, `old-${name}`));
    for (const name of readdirSync(runs)) rmSync(path.join(runs, name, "checkpoints"), { recursive: true });
    const again = run(...start, "--out", "again");
    expect(again).toMatchObject({ status: 0, stderr: "" });
    expect(readdirSync(runs).sort()).toEqual(names.map((name) => `old-${name}`));
    const status = run("status", "again").stdout;
    expect(status).toContain("again: 3 runs, 2 finished, 1 failed");
    const report = run("report", "again");
    expect(report).toMatchObject({ status: 0, stderr: "" });
    expect(report.stdout).toMatch(/^\| float +\| +1 \| +[+-]\d\.\d{4} \| one pair \|$/m);
    expect(report.stdout).toMatch(/^diverges-s0 failed: step \d+: the/m);
    expect(metricsOf(runFolder("again", "old-ternary-s0"))).toHaveLength(12);
  }, 60_000);

  test("says what is wrong in one line", () => {
    expect(run("--out", "none")).toMatchObject({
      status: 2,
      stderr: "bitnet-sweep: --base is missing: the recipe that the arms change (see bitnet-sweep --help)\n",
    });
    expect(run("status", "none")).toMatchObject({
      status: 1,
      stderr: "bitnet-sweep: none: there is no sweep in it (no sweep.yaml)\n",
    });
  }, 60_000);
});
