/** The command bitnet-train as a process: output, exit codes, bad input, Ctrl-C, resuming. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { command as trainCommand } from "../../cli/bitnet_train.ts";
import { runCommand } from "../../cli/command.ts";
import { hasNative } from "../support/tfjs_backends.ts";
import { metricsOf } from "../support/tiny_run.ts";

const command = path.resolve(import.meta.dirname, "../../cli/bin/bitnet-train.mjs");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "bitnet-train-"));
  vi.stubEnv("BITNET_CACHE", path.join(folder, "cache"));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts the command; `onOutput` sees each piece of stdout. */
function train(
  args: readonly string[],
  onOutput: (text: string, child: ChildProcess) => void = () => {},
  environment: Record<string, string> = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [command, ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
  });
  const outcome = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    outcome.stdout += text;
    onOutput(text, child);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    outcome.stderr += text;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...outcome })));
}

const tiny = (...args: string[]) => ["--config", "tiny.yaml", ...args];

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

const shape = "model: {hidden_size: 256, num_hidden_layers: 1, intermediate_size: 256, num_attention_heads: 4}\n";

describe("bitnet-train", () => {
  it("trains, and a second run into the same folder needs --resume with the same configuration", async () => {
    const args = tiny("--out", "run", "--threads", "1", "--set", "training.max_steps=4", "--seed", "3");
    const first = await train(args);
    expect(first.stderr).toBe("");
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/step 4\/4 {2}loss .* val .* bits\/byte.*tokens\/s$/m);
    expect(first.stdout).toContain("next: bitnet-export run");
    const run = path.join(folder, "run");
    const withoutTime = (name: string) => name.replace(/^(events\.out\.tfevents)\..*/, "$1");
    expect(readdirSync(run).map(withoutTime).sort()).toEqual([
      "checkpoints",
      "config.yaml",
      "data.json",
      "environment.json",
      "events.out.tfevents",
      "loss.png",
      "metrics.jsonl",
      "telemetry.arrow",
      "telemetry.jsonl",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(readFileSync(path.join(run, "config.yaml"), "utf8")).toMatch(/seed: 3/);
    expect(JSON.parse(readFileSync(path.join(run, "environment.json"), "utf8"))).toMatchObject({
      backend: hasNative ? "native" : "wasm",
      threads: 1,
    });
    expect(readFileSync(path.join(run, "loss.png")).subarray(1, 4).toString()).toBe("PNG");

    const again = await train(args);
    expect(again.code).toBe(1);
    expect(again.stderr).toBe(
      "bitnet-train: run holds a run already: continue it with --resume, or choose another --out\n",
    );
    const other = await train([...args.slice(0, -1), "4", "--resume", "--set", "optimizer.learning_rate=1"]);
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(
      /^bitnet-train: .*step-00000004 is from another configuration: training\.seed \(3, now 4\), optimizer\.learning_rate \(0\.002, now 1\)\n$/,
    );
    const done = await train(["--resume", "--out", "run"]);
    expect(done.stdout).toContain("resumed   at step 4 of 4");
    expect(done.code).toBe(0);
  }, 300_000);

  it("resolves the backward precision once, and keeps it when it goes on elsewhere", async () => {
    const auto = ["training.backward_precision=auto", "training.checkpoint_every=2", "training.eval_every=2"];
    const args = tiny(
      "--out",
      "auto",
      "--threads",
      "1",
      "--set",
      "training.max_steps=4",
      "schedule.type=constant",
      ...auto,
    );
    const dry = await train([...args, "--dry-run"]);
    const [, expected] = /^backward {2}(\w+) \(auto: .+\)$/m.exec(dry.stdout)!;
    const first = await train(args);
    expect(first.stdout).toContain(`backward  ${expected} (auto: `);
    const run = path.join(folder, "auto");
    const read = (name: string) => readFileSync(path.join(run, name), "utf8");
    expect(read("config.yaml")).toContain(`backward_precision: ${expected}\n`);
    expect(JSON.parse(read("environment.json"))).toMatchObject({ backward_precision: expected });
    expect(metricsOf(run).map((row) => row.backward_precision)).toEqual(Array(4).fill(expected));

    // With scalar kernels auto would be f32.
    const longer = [...args.slice(0, -5), "training.max_steps=6", "schedule.type=constant", ...auto];
    const resumed = await train([...longer, "--resume"], undefined, hasNative ? { BITNET_ISA: "scalar" } : {});
    expect(resumed.stderr).toBe("");
    expect(resumed.stdout).toContain(`backward  ${expected}\n`);
    expect(read("config.yaml")).toContain(`backward_precision: ${expected}\n`);
    const other = expected === "bf16" ? "f32" : "bf16";
    const refused = await train([...args, "--resume", "--set", `training.backward_precision=${other}`]);
    expect(refused.stderr).toContain(`training.backward_precision ("${expected}", now "${other}")`);
    const wasm = await train([...args.map((arg) => (arg === "auto" ? "wasm" : arg)), "--backend", "wasm", "--dry-run"]);
    expect(wasm.stdout).toMatch(/^backward {2}f32 \(auto: /m);
  }, 300_000);

  it("goes on in float32 with a run of before the key", async () => {
    const args = tiny("--out", "old", "--threads", "1", "--set", "training.max_steps=4");
    expect((await train(args)).code).toBe(0);
    const run = path.join(folder, "old");
    const drop = (name: string, line: RegExp) => {
      const file = path.join(run, name);
      const text = readFileSync(file, "utf8");
      expect(text).toMatch(line);
      writeFileSync(file, text.replace(line, ""));
    };
    drop("config.yaml", /^ *backward_precision: f32\n/m);
    drop("checkpoints/step-00000004/trainer.json", /^ *"backward_precision": "f32",\n/m);
    const resumed = await train(["--resume", "--out", "old", "--threads", "1"]);
    expect(resumed.stderr).toBe("");
    expect(resumed.stdout).toContain("backward  f32\n");
    expect(readFileSync(path.join(run, "config.yaml"), "utf8")).toContain("backward_precision: f32\n");
  }, 300_000);

  it("checkpoints on Ctrl-C, exits with 130, and goes on from there", async () => {
    const args = tiny("--out", "stopped", "--set", "training.max_steps=2000", "training.checkpoint_every=1000");
    const stopped = await train(args, (text, child) => {
      if (text.includes("step 3/")) child.kill("SIGINT");
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toBe("");
    const step = metricsOf(path.join(folder, "stopped")).at(-1)!.step;
    expect(stopped.stdout).toContain(`checkpoints/step-${String(step).padStart(8, "0")}\n`);
    expect(stopped.stdout).toContain("interrupted: continue with bitnet-train --resume --out stopped");
    const resumed = await train([...args, "--resume"], (text, child) => {
      if (text.includes(`step ${step + 2}/`)) child.kill("SIGINT");
    });
    expect(resumed.stdout).toContain(`resumed   at step ${step} of 2000`);
    expect(resumed.code).toBe(130);
  }, 300_000);

  it("says with --dry-run what a run would take, and writes no run", async () => {
    const { code, stdout } = await train(tiny("--out", "dry", "--dry-run"));
    expect(code).toBe(0);
    // Embedding 257 x 256, one layer of matrices, 5 norms of 256.
    expect(stdout).toContain("parameters  460,288 (393,216 ternary)");
    expect(stdout).toMatch(/memory {6}\d+ MB measured; weights, gradients and optimizer 7\.4 MB/);
    expect(stdout).toMatch(/tokens {6}2,560 in 20 steps \(0\.\d+ epochs\)/);
    expect(stdout).toMatch(/time {8}0:\d\d expected, \d+ tokens\/s/);
    expect(existsSync(path.join(folder, "dry"))).toBe(false);
  }, 120_000);

  it("has help with examples", async () => {
    const { code, stdout } = await train(["--help"]);
    expect(code).toBe(0);
    for (const flag of ["config", "out", "data", "set", "resume", "backend", "threads", "seed", "dry-run"]) {
      expect(stdout).toContain(`--${flag}`);
    }
    expect(stdout).toContain("--config small.yaml --out runs/small");
  }, 60_000);
});

/** Runs the command in this process: quicker, for what fails before it has done anything. */
async function runHere(args: readonly string[]): Promise<{ code: unknown; stderr: string }> {
  const lines: string[] = [];
  const error = vi.spyOn(console, "error").mockImplementation((line) => void lines.push(String(line)));
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const codeBefore = process.exitCode;
  process.exitCode = 0;
  try {
    await runCommand(trainCommand, args);
    return { code: process.exitCode, stderr: lines.join("\n") };
  } finally {
    process.exitCode = codeBefore;
    error.mockRestore();
    log.mockRestore();
  }
}

describe("bad usage", () => {
  it.each([
    [["--config", "tiny.yaml", "--out", "x", "--thread", "2"], /unknown flag --thread; the nearest is --threads/],
    [["--out", "x"], /--config is missing/],
    [["--config", "tiny.yaml"], /--out is missing/],
    [["--config", "tiny.yaml", "--out", "x", "--threads", "0"], /--threads must be an integer from 1 to 1024/],
    [["--config", "tiny.yaml", "--out", "x", "--backend", "gpu"], /backend.*gpu/],
  ])(
    "%j: one line, exit code 2",
    async (args, message) => {
      const { code, stderr } = await runHere(args);
      expect(stderr).toMatch(message);
      expect(stderr.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(2);
    },
    60_000,
  );
});

describe("bad input", () => {
  const cases: [name: string, args: () => string[], message: RegExp, environment?: Record<string, string>][] = [
    ["a missing file", () => tiny("--data", "no.txt"), /no\.txt: no such file/],
    ["an empty corpus", () => tiny("--data", write("empty.txt", "")), /empty/],
    ["a corpus shorter than a sequence", () => tiny("--data", write("short.txt", "Too short.")), /too short/],
    ["no data", () => ["--config", "shakespeare.yaml"], /no training data: give --data/],
    [
      "invalid YAML",
      () => ["--config", write("bad.yaml", "model: {a: 1\ntraining: [")],
      /bad\.yaml:\d+:\d+: invalid YAML/,
    ],
    [
      "a wrong type",
      () => ["--config", write("type.yaml", `${shape}training: {max_steps: many}\n`)],
      /type\.yaml:2: training\.max_steps: expected a number, got "many"/,
    ],
    [
      "an unknown key",
      () => tiny("--set", "training.max_step=3"),
      /unknown key training\.max_step; the nearest valid key is training\.max_steps/,
    ],
    ["an unknown recipe", () => ["--config", "tinny.yaml"], /nearest: tiny\.yaml/],
    [
      "a shape that cannot be packed",
      () => tiny("--set", "model.hidden_size=200"),
      /hidden_size \(200\).*multiples of 64/,
    ],
    ["nothing to resume", () => ["--resume"], /nothing to resume/],
    [
      "an unreadable tokenizer",
      () => tiny("--set", "tokenizer.type=file", "tokenizer.path=no.json"),
      /no\.json: no such file/,
    ],
    [
      "a small vocabulary",
      () => tiny("--set", "model.vocab_size=100"),
      /model\.vocab_size is 100, but the tokenizer has 257 ids/,
    ],
  ];
  it.each(cases)(
    "%s: one line, exit code 1",
    async (_name, args, message) => {
      const { code, stderr } = await runHere([...args(), "--out", path.join(folder, "bad")]);
      expect(stderr).toMatch(message);
      expect(stderr.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(1);
      expect(existsSync(path.join(folder, "bad"))).toBe(false);
    },
    60_000,
  );

  it.runIf(hasNative)(
    "an unknown kernel variant lists the valid ones",
    async () => {
      const { code, stderr } = await train(tiny("--out", "bad"), undefined, { BITNET_ISA: "avx9" });
      expect(stderr).toMatch(/avx9.*scalar/);
      expect(stderr.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(1);
    },
    60_000,
  );
});
