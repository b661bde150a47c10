/** `kill -9` at ten random moments of a run: resuming always works and ends in the bits of an undisturbed run. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { newestCheckpointBytes, reproducibleMetrics } from "../support/tiny_run.ts";

const command = path.resolve(import.meta.dirname, "../../cli/bin/bitnet-train.mjs");
const folder = mkdtempSync(path.join(tmpdir(), "kill-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const kills = 10;
// A checkpoint after every step: most of the time goes into writing, where a kill hurts most.
const settings = [
  "training.max_steps=40",
  "training.checkpoint_every=1",
  "training.eval_every=8",
  "data.world_documents=60",
];

/** Trains in `out`. With `killAfter`, the process is killed that many output lines and milliseconds after its start. */
function train(out: string, killAfter?: { lines: number; milliseconds: number }) {
  const args = ["--config", "tiny.yaml", "--out", path.join(folder, out), "--resume", "--set", ...settings];
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...process.env, BITNET_CACHE: path.join(folder, "cache") },
  });
  let lines = 0;
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const before = lines;
    lines += text.split("\n").length - 1;
    if (killAfter && before < killAfter.lines && lines >= killAfter.lines) {
      setTimeout(() => child.kill("SIGKILL"), killAfter.milliseconds);
    }
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise<{ code: number | null; signal: string | null; stderr: string }>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, stderr })),
  );
}

it("survives kill -9 at ten random moments with the same bits", async () => {
  expect(await train("whole")).toMatchObject({ code: 0, stderr: "" });
  const seed = Date.now();
  const rng = new CounterRng(seed, "kill");
  let halfWritten = 0;
  for (let kill = 0; kill < kills; kill++) {
    // The first lines come from preparing the data, later ones from steps and checkpoints.
    const moment = { lines: 1 + rng.integer(9), milliseconds: rng.integer(40) };
    const { signal, stderr } = await train("killed", moment);
    expect(stderr, `seed ${seed}, kill ${kill}`).toBe("");
    expect(signal, `seed ${seed}, kill ${kill}`).toBe("SIGKILL");
    // A kill before the run directory was made leaves none.
    const run = path.join(folder, "killed");
    const names = existsSync(run) ? readdirSync(run, { recursive: true }).map(String) : [];
    if (names.some((name) => path.basename(name).startsWith("."))) halfWritten++;
  }
  expect(await train("killed"), `seed ${seed}`).toMatchObject({ code: 0, stderr: "" });
  expect(reproducibleMetrics(path.join(folder, "killed"))).toEqual(reproducibleMetrics(path.join(folder, "whole")));
  const [got, wanted] = ["killed", "whole"].map((out) => newestCheckpointBytes(path.join(folder, out)));
  for (const name of Object.keys(wanted)) expect(got[name].equals(wanted[name]), `${name}, seed ${seed}`).toBe(true);
  console.log(`${kills} kills, ${halfWritten} of them while a file was being written`);
}, 900_000);
