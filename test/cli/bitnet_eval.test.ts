/** The commands as a user runs them, on the small models of test/golden. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { exportTestModel } from "../eval/gguf_test_model.ts";
import { modelDirectory } from "../eval/golden_lm_eval.ts";
import { titleUnless } from "../support/missing.ts";
import { hasNative } from "../support/tfjs_backends.ts";

// Every test starts processes that load the whole program.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const root = path.join(import.meta.dirname, "../..");
const checkpoint = modelDirectory("tiny-bitnet");
let directory: string;
let gguf: string;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "bitnet-cli-"));
  gguf = await exportTestModel("tiny-bitnet", directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

type Command = "bitnet-eval" | "bitnet-generate";

function run(command: Command, args: string[], environment: NodeJS.ProcessEnv = {}) {
  const file = path.join(root, `cli/bin/${command}.mjs`);
  const env = { ...process.env, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    encoding: "utf8",
    cwd: directory,
    env,
  });
  return { status, stdout, stderr };
}

/** Exit code and the one line on stderr. */
function failure(command: Command, ...args: string[]) {
  const { status, stdout, stderr } = run(command, args);
  expect(stdout).toBe("");
  return { status, lines: stderr.trimEnd().split("\n") };
}

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "bitnet-eval"), () => {
  test("data that cannot be read is told before the model is loaded", () => {
    writeFileSync(
      path.join(directory, "nodata.yaml"),
      'task: nodata\ndataset_path: json\ndataset_kwargs: {data_files: {test: none.jsonl}}\ntest_split: test\noutput_type: loglikelihood_rolling\ndoc_to_text: ""\ndoc_to_target: text\n',
    );
    const { status, lines } = failure("bitnet-eval", "-m", gguf, "-t", "nodata", "--include_path", "nodata.yaml");
    expect([status, lines]).toEqual([1, [expect.stringMatching(/^bitnet-eval: .*none\.jsonl/)]]);
  });

  test("perplexity of a text, the same from checkpoint and GGUF file, and what does not go with it", () => {
    // Not an ending that says text.
    writeFileSync(path.join(directory, "book.raw"), "The lamp is blue. The box is red.\n".repeat(30));
    const flags = ["--text", "book.raw", "--stride", "50", "--context", "100"];
    const fromFile = run("bitnet-eval", ["-m", gguf, ...flags, "-o", "texts"]);
    const fromCheckpoint = run("bitnet-eval", ["-m", checkpoint, ...flags]);
    expect([fromFile.status, fromCheckpoint.status]).toEqual([0, 0]);
    const [said, ...table] = fromFile.stdout.trimEnd().split("\n");
    expect(said).toContain(
      "stride 50, windows of 100 positions: after the first, each token is given 51 or more before it",
    );
    expect(fromCheckpoint.stdout.trimEnd().split("\n").slice(1)).toEqual(table.slice(0, -1));
    expect(table[2]).toMatch(/^\| book\.raw \| +\d+ \| +1020 \| +\d+\.\d{4} \| +\d+\.\d{4} \| .* \| +\d+\.\d{4} \|$/);
    expect(table.at(-1)).toMatch(/^wrote texts\/.*\/text_.*\.json$/);
    expect(failure("bitnet-eval", "-m", gguf, "--text", "book.raw", "-t", "toy_arc")).toEqual({
      status: 2,
      lines: ["bitnet-eval: --text does not go with --tasks (see bitnet-eval --help)"],
    });
  });

  test("checkpoint and GGUF file print the same table; results are written", () => {
    // Commas or spaces, as lm-evaluation-harness takes both.
    const flags = ["--tasks", "toy_arc", "toy_gsm8k", "--limit", "12", "--gen_kwargs", "max_gen_toks=12"];
    const fromFile = run("bitnet-eval", ["--model", gguf, ...flags, "--output_path", "out", "--log_samples"]);
    const fromCheckpoint = run("bitnet-eval", ["--model", checkpoint, ...flags]);
    expect([fromFile.status, fromCheckpoint.status]).toEqual([0, 0]);
    const table = (stdout: string) => stdout.split("\n").filter((line) => line.startsWith("|"));
    expect(table(fromFile.stdout)).toHaveLength(6);
    for (const { stderr } of [fromFile, fromCheckpoint]) expect(stderr).toContain("parameters 558464");
    expect(table(fromFile.stdout)).toEqual(table(fromCheckpoint.stdout));
    expect(fromFile.stdout).toContain("toy_arc: chance 0.2500");
    const [model] = readdirSync(path.join(directory, "out"));
    const files = readdirSync(path.join(directory, "out", model)).map((name) =>
      name.replace(/_\d{4}-.*(?=\.json)/, ""),
    );
    expect(files.sort()).toEqual(["results.json", "samples_toy_arc.jsonl", "samples_toy_gsm8k.jsonl"]);
  });
});

test("task data comes from the Hugging Face cache, without a network", () => {
  const home = path.join(directory, "hf");
  const repository = path.join(home, "hub/datasets--allenai--ai2_arc");
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const data = path.join(repository, "snapshots", commit, "ARC-Easy");
  mkdirSync(data, { recursive: true });
  mkdirSync(path.join(repository, "refs"));
  writeFileSync(path.join(repository, "refs/main"), commit);
  const choices = { text: ["a ball", "a box"], label: ["A", "B"] };
  writeFileSync(
    path.join(data, "test.jsonl"),
    JSON.stringify({ question: "Which is round?", choices, answerKey: "A" }),
  );
  const flags = ["--model", checkpoint, "--tasks", "arc_easy", "--backend", "cpu"];
  const { status, stdout } = run("bitnet-eval", flags, { HF_HOME: home, HF_HUB_CACHE: undefined });
  expect(stdout).toContain("|arc_easy|");
  expect(status).toBe(0);
});

describe("tasks of one's own", () => {
  const write = (name: string, ...extra: string[]) => {
    const lines = [
      "task: mine",
      "output_type: multiple_choice",
      "test_split: test",
      'doc_to_text: "{{q}}"',
      "doc_to_target: 0",
      'doc_to_choice: ["yes", "no"]',
      "metric_list: [{metric: acc}]",
      ...extra,
    ];
    writeFileSync(path.join(directory, name), `${lines.join("\n")}\n`);
  };

  test("are listed with the shipped ones, and asked with --write_out", () => {
    write("mine.yaml", "dataset_kwargs: {data_files: {test: mine.jsonl}}", "metadata: {version: 7, source: here}");
    writeFileSync(path.join(directory, "mine.jsonl"), '{"q": "Is it?"}\n');
    const list = run("bitnet-eval", ["--tasks", "list", "--include_path", "mine.yaml"]);
    expect(list.stdout).toMatch(/^mine +7 +multiple_choice +here$/m);
    expect(list.stdout).toMatch(/^mmlu_virology +1 /m);
    expect(list.stdout).toMatch(/^group mmlu /m);
    const flags = ["--model", checkpoint, "--tasks", "mine", "--include_path", "mine.yaml", "--write_out"];
    const { status, stdout } = run("bitnet-eval", [...flags, "--system_instruction", "Think."]);
    expect(stdout).toContain("Task mine, document 0, prompt (from the next line):\nThink.Is it?\n(end");
    expect(stdout).toMatch(/^\|mine \| +7\|none/m);
    expect(status).toBe(0);
  });

  test("with an unknown key: file, line and the nearest", () => {
    write("broken.yaml", "tset_split: test");
    expect(failure("bitnet-eval", "--model", checkpoint, "--tasks", "mine", "--include_path", "broken.yaml")).toEqual({
      status: 1,
      lines: [expect.stringMatching(/broken\.yaml:8: unknown key tset_split; the nearest is test_split$/)],
    });
  });
});

describe("bitnet-eval refuses in one line", () => {
  test("wrong usage: exit code 2", () => {
    expect(failure("bitnet-eval", "--model", checkpoint, "--tasks", "toy_ark")).toEqual({
      status: 2,
      lines: [expect.stringMatching(/^bitnet-eval: --tasks: unknown task "toy_ark"; the nearest is toy_arc \(tasks: /)],
    });
    expect(failure("bitnet-eval", "--model", "m", "--task", "toy_arc")).toEqual({
      status: 2,
      lines: ["bitnet-eval: unknown flag --task; the nearest is --tasks (see bitnet-eval --help)"],
    });
  });

  test("flags that do not go together", () => {
    for (const [flags, message] of [
      [["--fewshot_as_multiturn"], "--fewshot_as_multiturn needs --apply_chat_template"],
      [["--predict_only"], "--predict_only needs --output_path"],
      [
        ["--seed", "1,2,x"],
        '--seed: expected one whole number below 2^32, or up to four with commas between, not "1,2,x"',
      ],
    ] as const) {
      expect(failure("bitnet-eval", "--model", "m", "--tasks", "toy_arc", ...flags)).toEqual({
        status: 2,
        lines: [`bitnet-eval: ${message} (see bitnet-eval --help)`],
      });
    }
  });

  test("a tokenizer without chat template, and code that was not allowed", () => {
    const reason = (...flags: string[]) =>
      run("bitnet-eval", ["--model", checkpoint, "--backend", "cpu", ...flags])
        .stderr.trimEnd()
        .split("\n")
        .at(-1);
    expect(reason("--tasks", "toy_arc", "--apply_chat_template")).toMatch(/the tokenizer has no chat template/);
    expect(reason("--tasks", "humaneval")).toBe(
      "bitnet-eval: humaneval runs Python code that the model writes: --confirm_run_unsafe_code allows it",
    );
  });

  test("files that are missing or damaged: exit code 1", () => {
    expect(failure("bitnet-eval", "--model", "missing.gguf", "--tasks", "toy_arc")).toEqual({
      status: 1,
      lines: ["bitnet-eval: no such file or folder: missing.gguf"],
    });
    // Known before the evaluation, not after it.
    writeFileSync(path.join(directory, "file"), "");
    for (const flag of ["--output_path", "--report"]) {
      expect(failure("bitnet-eval", "--model", "missing.gguf", "--tasks", "toy_arc", flag, "file/x/out.json")).toEqual({
        status: 1,
        lines: [expect.stringMatching(/^bitnet-eval: cannot write file.*: a part of the path is not a folder$/)],
      });
    }
    mkdirSync(path.join(directory, "empty"));
    expect(failure("bitnet-eval", "--model", "empty", "--tasks", "toy_arc")).toEqual({
      status: 1,
      lines: [expect.stringMatching(/^bitnet-eval: empty is not a checkpoint/)],
    });
  });

  test.skipIf(!hasNative)(
    titleUnless(!hasNative, "the addon", "GGUF files with another magic or cut short"),
    async () => {
      writeFileSync(path.join(directory, "text.gguf"), "This is no model.");
      const cut = await exportTestModel("tiny-llama", directory);
      truncateSync(cut, 100_000);
      for (const [file, reason] of [
        ["text.gguf", /not a GGUF file/],
        [cut, /tiny-llama\.gguf: /],
      ] as const) {
        expect(failure("bitnet-eval", "--model", file, "--tasks", "toy_arc")).toEqual({
          status: 1,
          lines: [expect.stringMatching(reason)],
        });
      }
    },
  );
});

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "bitnet-generate"), () => {
  test("the same seed gives the same text, and says how fast", () => {
    const flags = ["--model", gguf, "--prompt", "Question: How", "--max-tokens", "12", "--seed", "5"];
    const [first, second] = [run("bitnet-generate", flags), run("bitnet-generate", flags)];
    expect(first.status).toBe(0);
    expect(first.stdout.trim().length).toBeGreaterThan(5);
    expect(second.stdout).toBe(first.stdout);
    expect(first.stderr).toMatch(/seed 5\n.*generated in .* tokens\/s/);
  });

  test("greedy text of checkpoint and GGUF file is the same", () => {
    const flags = ["--prompt", "Question: How", "--max-tokens", "12", "--temperature", "0"];
    const fromFile = run("bitnet-generate", ["--model", gguf, ...flags]);
    expect(fromFile.stderr).toMatch(/ 12 generated/);
    expect(run("bitnet-generate", ["--model", checkpoint, ...flags]).stdout).toBe(fromFile.stdout);
    const { status, lines } = failure("bitnet-generate", "--model", checkpoint, ...flags, "--mlock");
    expect(status).toBe(2);
    expect(lines[0]).toContain("--mlock is for GGUF files");
  });

  test("values out of range are wrong usage", () => {
    const model = ["--model", gguf, "--prompt", "x"];
    for (const flags of [
      ["--temperature", "-1"],
      ["--top-p", "1.5"],
      ["--top-k", "0"],
      ["--max-tokens", "1.5"],
    ]) {
      expect(failure("bitnet-generate", ...model, ...flags)).toEqual({
        status: 2,
        lines: [expect.stringContaining(flags[0])],
      });
    }
    expect(failure("bitnet-generate", ...model, "--backend", "cpu").status).toBe(2);
  });
});
