/** An evaluation that is killed goes on from its cache. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { exportTestModel } from "../../eval/gguf_test_model.ts";
import { titleUnless } from "../../support/missing.ts";
import { hasNative } from "../../support/tfjs_backends.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const command = path.join(import.meta.dirname, "../../../cli/bin/bitnet-eval.mjs");
let directory: string;
let model: string;
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "bitnet-resume-"));
  if (hasNative) model = await exportTestModel("tiny-bitnet", directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

const lines = (file: string) => (existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 2 : 0);

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "bitnet-eval --use_cache"), () => {
  const flags = () => ["--model", model, "--tasks", "toy_arc,toy_gsm8k", "--limit", "150"];
  const table = (stdout: string) => stdout.split("\n").filter((line) => line.startsWith("|"));

  test("killed in the middle, it asks only what is missing, and the scores are the same", async () => {
    const cache = path.join(directory, "answers.jsonl");
    const child = spawn(process.execPath, [command, ...flags(), "--use_cache", cache], { stdio: "ignore" });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("exit", (_, signal) => resolve(signal)));
    while (lines(cache) < 610 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2));
    child.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
    const kept = lines(cache);
    expect(kept).toBeGreaterThan(600);

    const run = (...more: string[]) =>
      spawnSync(process.execPath, [command, ...flags(), ...more], { encoding: "utf8" });
    const resumed = run("--use_cache", cache);
    expect(resumed.stderr).toContain(`${cache}: ${kept} answers in the cache`);
    expect(resumed.status).toBe(0);
    expect(lines(cache)).toBe(150 * 4 + 150);
    const fresh = run();
    expect(table(resumed.stdout)).toEqual(table(fresh.stdout));
    expect(table(fresh.stdout).length).toBeGreaterThan(4);
  });

  test("refuses a file that is no cache before anything else", () => {
    const file = path.join(directory, "notes.txt");
    writeFileSync(file, "not a cache\n");
    const { status, stderr } = spawnSync(process.execPath, [command, ...flags(), "--use_cache", file], {
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([1, `bitnet-eval: ${file} is not a cache of bitnet-eval: choose another file\n`]);
  });
});
