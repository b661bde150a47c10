/** `kill -9` in the middle of an export: the file that was there stays, and the next export removes the rest. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";

const command = path.resolve(import.meta.dirname, "../../cli/bin/bitnet-export.mjs");
const folder = mkdtempSync(path.join(tmpdir(), "kill-export-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const small = {
  model_type: "bitnet",
  vocab_size: 300,
  hidden_size: 256,
  intermediate_size: 256,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 4,
};

it("keeps the old file and sweeps", async () => {
  const out = path.join(folder, "model.gguf");
  writeFileSync(out, "an earlier export");
  // Large enough to be under way for seconds.
  const child = spawn(process.execPath, [command, "--random", "bitnet-b1.58-2B-4T", "--out", out]);
  const closed = new Promise((resolve) => child.on("close", (_code, signal) => resolve(signal)));
  while (readdirSync(folder).length === 1 && child.exitCode === null) await setTimeout(20);
  child.kill("SIGKILL");
  expect(await closed).toBe("SIGKILL");
  expect(readFileSync(out, "utf8")).toBe("an earlier export");
  expect(readdirSync(folder)).toHaveLength(2);

  const config = path.join(tmpdir(), `kill-export-${process.pid}.json`);
  writeFileSync(config, JSON.stringify(small));
  const again = spawnSync(process.execPath, [command, "--random", config, "--type", "f32", "--out", out], {
    encoding: "utf8",
  });
  rmSync(config);
  expect(again.stderr).toBe("");
  expect(again.status).toBe(0);
  expect(readdirSync(folder)).toEqual(["model.gguf"]);
  expect(readFileSync(out, "latin1").slice(0, 4)).toBe("GGUF");
}, 120_000);
