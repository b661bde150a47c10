import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { command } from "../../cli/bitnet_export.ts";
import { runCommand } from "../../cli/command.ts";

const folder = mkdtempSync(path.join(tmpdir(), "export-interrupt-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("an export ends on SIGTERM before its next tensor, and leaves nothing", async () => {
  const config = path.join(folder, "shape.json");
  const shape = { hidden_size: 64, num_hidden_layers: 2, intermediate_size: 64, num_attention_heads: 2 };
  writeFileSync(config, JSON.stringify({ ...shape, num_key_value_heads: 2, vocab_size: 300 }));
  const out = path.join(folder, "out.gguf");
  const errors = vi.spyOn(console, "error").mockImplementation(() => {});
  // Loaded already, so that the signal comes while it writes.
  await import("../../cli/export_run.ts");
  const running = runCommand(command, ["--random", config, "--out", out]);
  setImmediate(() => void process.emit("SIGTERM"));
  await running;
  expect(process.exitCode).toBe(130);
  expect(errors.mock.calls).toEqual([["bitnet-export: interrupted"]]);
  expect(existsSync(out)).toBe(false);
  expect(readdirSync(folder)).toEqual(["shape.json"]);
  errors.mockRestore();
  process.exitCode = 0;
});
