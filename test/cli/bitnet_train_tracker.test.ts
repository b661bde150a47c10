/** `bitnet-train --tracker`: what a module of one's own is told, and that a faulty one only costs a line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { runTraining } from "../../cli/train_run.ts";
import { hasNative } from "../support/tfjs_backends.ts";
import { metricsOf } from "../support/tiny_run.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tracked-"));
  vi.stubEnv("BITNET_CACHE", path.join(folder, "cache"));
  vi.spyOn(console, "log").mockImplementation(() => {});
});
afterAll(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function module(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

it("tells every tracker of the run, and goes on without one that fails", async () => {
  const seen = path.join(folder, "seen.jsonl");
  const good = module(
    "good.mjs",
    `import { appendFileSync } from "node:fs";
     const keep = (...call) => appendFileSync(${JSON.stringify(seen)}, JSON.stringify(call) + "\\n");
     export const init = async ({ project, name, step, config }) => keep("init", project, name, step, config.training.max_steps);
     export const log = async (values, { step }) => keep("log", step, values.loss ?? null);
     export const finish = async ({ state }) => keep("finish", state);`,
  );
  const bad = module("bad.mjs", "export function log() { throw new Error('not signed in'); }");
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const directory = path.join(folder, "runs", "tracked");
  await runTraining(
    {
      config: "tiny.yaml",
      out: directory,
      data: undefined,
      set: ["training.max_steps=4", "training.log_every=2", "training.eval_every=0", "data.world_documents=60"],
      resume: false,
      backend: hasNative ? "native" : "wasm",
      threads: 1,
      seed: undefined,
      "init-from": undefined,
      tracker: [good, bad],
      "until-step": undefined,
      dashboard: undefined,
      "dry-run": false,
    },
    new AbortController().signal,
  );
  spy.mockRestore();
  const calls = readFileSync(seen, "utf8").trimEnd().split("\n");
  const losses = metricsOf(directory).map(({ step, loss }) => ["log", step, loss]);
  // Telemetry of the last step comes after its metrics.
  const wanted = [["init", "runs", "tracked", 0, 4], ...losses, ["log", 4, null], ["finish", "finished"]];
  expect(calls.map((call) => JSON.parse(call))).toEqual(wanted);
  const remarks = written.join("").match(/note: bad\.mjs[^\n]*/g);
  expect(remarks).toEqual(["note: bad.mjs: not signed in; the run goes on without it"]);
});
