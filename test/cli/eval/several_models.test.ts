/** `bitnet-eval` with several models, a server, a report, and two saved runs, as a user runs it. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { exportTestModel } from "../../eval/gguf_test_model.ts";
import { modelDirectory } from "../../eval/golden_lm_eval.ts";
import { CompletionsServer, echoAnswer, sendJson } from "../../language_model/server/completions_server.ts";
import { titleUnless } from "../../support/missing.ts";
import { hasNative } from "../../support/tfjs_backends.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const command = path.join(import.meta.dirname, "../../../cli/bin/bitnet-eval.mjs");
const server = new CompletionsServer();
let url: string;
let directory: string;
let gguf: string;
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "bitnet-models-"));
  url = await server.start();
  if (hasNative) gguf = await exportTestModel("tiny-bitnet", directory);
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

/** Not spawnSync: the server runs in this process. */
function run(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [command, ...args], { cwd: directory });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

const tasks = ["--tasks", "toy_arc,toy_piqa", "--limit", "20"];

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "a file and a server"), () => {
  test("are scored, timed and compared; saved runs are paired; the report is written", async () => {
    server.reply = (body, response, request) => {
      if (!body.stream) return echoAnswer(body, response, request);
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let i = 0; i < 5; i++) {
        setTimeout(() => response.write(`data: {"choices":[{"text":"x"}]}\n\n`), 20 * i + 20);
      }
      setTimeout(() => response.end("data: [DONE]\n\n"), 150);
    };
    const { status, stdout, stderr } = await run(
      ...["--model", gguf, "--model", url, "--model_args", `tokenizer=${gguf},max_length=512,max_retries=0`],
      ...[...tasks, "--output_path", "out", "--log_samples", "--report", "report.html"],
    );
    expect(stderr).toContain("scoring echo");
    expect(status).toBe(0);
    const row = (label: string) => stdout.split("\n").find((line) => line.includes(label))!;
    expect(row("Energy of 512 tokens").split("|").slice(2, -1)).toHaveLength(2);
    expect(row("Written, tokens/s")).toMatch(/\| +[\d.,]+ \| +[\d.]+ \|$/);
    expect(row("toy_piqa (acc_norm)")).toMatch(/± 0\.\d+ .*± 0\.\d+/);
    expect(readFileSync(path.join(directory, "report.html"), "utf8").match(/class="bar"/g)).toHaveLength(4);

    const folders = readdirSync(path.join(directory, "out")).map((name) => path.join(directory, "out", name));
    const files = folders.map((folder) => {
      const results = readdirSync(folder).find((name) => name.startsWith("results"))!;
      return path.join(folder, results);
    });
    expect(files).toHaveLength(2);
    const compared = await run("--compare", ...files);
    expect(compared.stderr).toBe("");
    expect(compared.stdout).toContain("McNemar");
    expect(compared.stdout.split("\n").filter((line) => line.startsWith("| toy_"))).toHaveLength(4);
  });

  test("the model that fails is named, the other one is kept", async () => {
    server.reply = (_, response) => sendJson(response, { error: { message: "no such tensor" } }, 400);
    const { status, stdout, stderr } = await run(
      ...["--model", url, "--model", gguf, "--model_args", `tokenizer=${gguf}`, ...tasks],
    );
    expect(status).toBe(1);
    expect(stdout).toContain("|toy_arc |");
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      `bitnet-eval: 1 of 2 models failed: ${url}: ${url}/completions: error 400: no such tensor`,
    );
  });
});

describe("one line for", () => {
  const tokenizer = `tokenizer=${modelDirectory("tiny-bitnet")}`;
  test.each<[string, string[], number, RegExp]>([
    [
      "no server",
      ["--model", "http://127.0.0.1:9/v1", "--model_args", tokenizer],
      1,
      /127\.0\.0\.1:9\/v1\/models: no answer/,
    ],
    ["no tokenizer", ["--model", "http://127.0.0.1:9/v1"], 2, /--model_args: a server needs tokenizer=PATH/],
    [
      "a missing tokenizer",
      ["--model", "http://127.0.0.1:9/v1", "--model_args", "tokenizer=none.json"],
      1,
      /none\.json: no such file/,
    ],
    [
      "an unknown key",
      ["--model", "http://127.0.0.1:9/v1", "--model_args", "tokenizer=a,modle=b"],
      2,
      /--model_args: unknown key "modle"; the nearest is model/,
    ],
    ["arguments without a server", ["--model", "m.gguf", "--model_args", "model=x"], 2, /--model_args is for a server/],
    ["a model given twice", ["--model", "m.gguf", "--model", "m.gguf"], 2, /the same model is given twice/],
    ["one file to compare", ["--compare", "a.json"], 2, /--compare needs two results files, not 1/],
    ["a missing file to compare", ["--compare", "a.json", "b.json"], 1, /cannot read a\.json: no such file or folder/],
  ])("%s", async (_, args, status, message) => {
    const more = args[0] === "--model" ? tasks : [];
    const result = await run(...args, ...more);
    expect(result.status).toBe(status);
    expect(result.stderr).toMatch(message);
    expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(result.stdout).toBe("");
  });
});
