/** `bitnet-generate` on a GGUF file: the text of the library, and what it says of prompts and contexts that are full. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { loadModel } from "../../native/inference/index.ts";
import { exportChatModel } from "../native/inference/chat_model.ts";
import { temporaryFolder } from "../native/inference/exported_model.ts";
import { titleUnless } from "../support/missing.ts";
import { hasNative } from "../support/tfjs_backends.ts";

vi.setConfig({ testTimeout: 240_000 });

const program = path.join(import.meta.dirname, "../../cli/bin/bitnet-generate.mjs");
const folder = temporaryFolder("bitnet-generate-");
afterAll(() => folder.remove());
const file = path.join(folder.path, "model.gguf");

function generate(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "--model", file, ...args], {
    encoding: "utf8",
  });
  return { status, stdout, lines: stderr.trimEnd().split("\n") };
}

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "bitnet-generate"), () => {
  beforeAll(() => exportChatModel(file));

  test("prints the text that generate() yields for the same seed", async () => {
    const { status, stdout } = generate("--prompt", "Once", "--max-tokens", "40", "--top-k", "12", "--seed", "9");
    expect(status).toBe(0);
    const model = await loadModel(file, { threads: 1 });
    const options = { temperature: 0.8, topK: 12, seed: 9, maxTokens: 40 };
    const { text } = await model.generate("Once", options).finish();
    model.dispose();
    expect(stdout).toBe(`${text}\n`);
  });

  test("says that the context is full", () => {
    const { status, lines } = generate("--prompt", "x".repeat(499), "--max-tokens", "100", "--temperature", "0");
    expect(status).toBe(0);
    expect(lines.at(-1)).toMatch(/^500 prompt tokens, 13 generated .*; the context of 512 tokens is full$/);
  });

  test("refuses a prompt that does not fit", () => {
    const { status, stdout, lines } = generate("--prompt", "x".repeat(600));
    expect([status, stdout]).toEqual([1, ""]);
    expect(lines.at(-1)).toBe("bitnet-generate: the prompt has 601 tokens, the context has room for 512");
  });

  test("runs what changes the result only for GGUF files", () => {
    expect(generate("--prompt", "x", "--max-tokens", "3", "--kv-type", "q8").status).toBe(0);
    const { status, lines } = generate("--prompt", "x", "--head-precision", "int8");
    expect([status, lines.at(-1)]).toEqual([1, expect.stringContaining("int8 head needs a file whose head is Q8_0")]);
  });
});
