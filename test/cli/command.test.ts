import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { canonicalFlags, checkInteger, runCommand, UsageError } from "../../cli/command.ts";
import { UserError } from "../../src/errors/user_error.ts";

const options = {
  model: { type: "string", demandOption: true, describe: "a model" },
  num_fewshot: { type: "number", describe: "shots" },
  "max-tokens": { type: "number", default: 5, describe: "tokens" },
  set: { type: "string", array: true, describe: "settings" },
  resume: { type: "boolean", default: false, describe: "resume" },
  backend: { choices: ["native", "cpu"] as const, describe: "backend" },
} as const;

describe("canonicalFlags", () => {
  test("takes - and _ as the same and keeps values", () => {
    const args = ["--num-fewshot=3", "--max_tokens", "-5", "--no-resume", "x", "--", "--other"];
    expect(canonicalFlags(args, options)).toEqual([
      "--num_fewshot=3",
      "--max-tokens",
      "-5",
      "--no-resume",
      "x",
      "--",
      "--other",
    ]);
  });

  test("short flags stand for long ones, with the value behind them or in the next argument", () => {
    const short = {
      ...options,
      model: { ...options.model, alias: ["m", "M"] },
      resume: { ...options.resume, alias: "r" },
    };
    expect(canonicalFlags(["-m", "x", "-mx", "-M=x", "-r", "-5"], short)).toEqual([
      "--model",
      "x",
      "--model=x",
      "--model=x",
      "--resume",
      "-5",
    ]);
    expect(() => canonicalFlags(["-q"], short)).toThrow(new UsageError("unknown flag -q"));
    expect(() => canonicalFlags(["-rm"], short)).toThrow(new UsageError("unknown flag -rm"));
  });

  test("a text may be - or begin with a dash, a flag is never taken for one", () => {
    const args = ["--model", "-", "--model", "- one", "--model", "--resume", "--num_fewshot", "-1"];
    expect(canonicalFlags(args, options)).toEqual([
      "--model=-",
      "--model=- one",
      "--model",
      "--resume",
      "--num_fewshot",
      "-1",
    ]);
  });

  test("names the nearest flag", () => {
    expect(() => canonicalFlags(["--modle", "x"], options)).toThrow(
      new UsageError("unknown flag --modle; the nearest is --model"),
    );
  });
});

test("checkInteger", () => {
  expect(() => checkInteger("limit", undefined, 1)).not.toThrow();
  expect(() => checkInteger("limit", 1, 1)).not.toThrow();
  expect(() => checkInteger("limit", 1.5, 1)).toThrow("--limit must be an integer of at least 1, not 1.5");
  expect(() => checkInteger("limit", 0, 1)).toThrow(UsageError);
});

describe("runCommand", () => {
  let stderr: string[];

  beforeEach(() => {
    stderr = [];
    vi.spyOn(console, "error").mockImplementation((line) => void stderr.push(String(line)));
  });
  afterEach(() => {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  });

  async function invoke(args: string[], run: Parameters<typeof runCommand<typeof options>>[0]["run"] = async () => {}) {
    const definition = { name: "bitnet-test", summary: "Tests.", positionals: ["run"], options, examples: [], run };
    await runCommand<typeof options>(definition, args);
    const exitCode = process.exitCode;
    return { exitCode, stderr: stderr.join("\n") };
  }

  test("hands over typed options and positionals", async () => {
    const run = vi.fn(async () => {});
    await invoke(["runs/7", "--model", "m", "--num-fewshot", "2", "--set", "a=1", "b=2", "--set", "c=3"], run);
    expect(stderr).toEqual([]);
    expect(run).toHaveBeenCalledWith(
      expect.objectContaining({ model: "m", num_fewshot: 2, "max-tokens": 5, set: ["a=1", "b=2", "c=3"] }),
      expect.objectContaining({ positionals: ["runs/7"] }),
    );
  });

  test.each([
    [
      ["runs/7", "--modle", "x"],
      /^bitnet-test: unknown flag --modle; the nearest is --model \(see bitnet-test --help\)$/,
    ],
    [["runs/7"], /^bitnet-test: --model is missing \(see/],
    [["runs/7", "--model"], /^bitnet-test: --model needs a value \(see/],
    [["runs/7", "--model", "--resume"], /^bitnet-test: --model needs a value \(see/],
    [["--model", "m"], /missing argument <run>/],
    [["a", "b", "--model", "m"], /unexpected argument "b"/],
    [["a", "--model", "m", "--model", "n"], /--model is given more than once/],
    [["a", "--model", "m", "--num_fewshot", "few"], /--num_fewshot must be a number/],
    [
      ["a", "--model", "m", "--backend", "gpu"],
      /^bitnet-test: --backend cannot be "gpu": choose one of "native", "cpu" \(see/,
    ],
    [["a", "--model", "m", "-q"], /q/],
  ])("wrong usage %j is one line and exit code 2", async (args, message) => {
    const result = await invoke(args);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toContain("\n");
    expect(result.exitCode).toBe(2);
  });

  test("speaks English also where the system speaks another language", async () => {
    vi.stubEnv("LC_ALL", "de_DE.UTF-8");
    expect((await invoke(["runs/7"])).stderr).toMatch(/--model is missing/);
    vi.unstubAllEnvs();
  });

  test("an error while running is one line and exit code 1", async () => {
    const result = await invoke(["a", "--model", "m"], async () => {
      throw new UserError("the file is broken\nat byte 7");
    });
    expect(result).toEqual({ exitCode: 1, stderr: "bitnet-test: the file is broken; at byte 7" });
  });

  test("a mistake of ours shows its stack", async () => {
    const result = await invoke(["a", "--model", "m"], async () => {
      (undefined as unknown as { a: number }).a++;
    });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(
      /^bitnet-test: this is a bug of bitnet-lab; please report it .*\(bitnet-lab \d.*, Node /,
    );
    expect(result.stderr).toMatch(/\nTypeError: .*undefined.*\n +at .*command\.test\.ts/);
  });

  test("Ctrl-C aborts the signal; a run that throws for it exits with 130", async () => {
    const result = await invoke(["a", "--model", "m"], async (_options, { signal }) => {
      process.emit("SIGINT");
      signal.throwIfAborted();
    });
    expect(result).toEqual({ exitCode: 130, stderr: "bitnet-test: interrupted" });
  });

  test("a run that ends in order after Ctrl-C is a success", async () => {
    const result = await invoke(["a", "--model", "m"], async () => void process.emit("SIGINT"));
    expect(result).toEqual({ exitCode: undefined, stderr: "" });
  });
});
