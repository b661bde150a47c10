/** `bitnet-bench` as a user runs it, and its arithmetic. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { accountLines, measureEnergy } from "../../cli/file_account.ts";
import { loadAddon } from "../../native/addon.ts";
import { type BenchmarkResult, summarize } from "../../native/inference/benchmark.ts";
import { measureInt8Peak, measureReadBandwidth } from "../../native/machine_peaks.ts";
import { accountForFile } from "../../src/eval/cost/file_account.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import { exportChatModel } from "../native/inference/chat_model.ts";
import { exportSmallModel, temporaryFolder } from "../native/inference/exported_model.ts";
import { titleUnless } from "../support/missing.ts";
import { hasNative } from "../support/tfjs_backends.ts";

vi.setConfig({ testTimeout: 240_000 });

const program = path.join(import.meta.dirname, "../../cli/bin/bitnet-bench.mjs");
const folder = temporaryFolder("bitnet-bench-");
afterAll(() => folder.remove());
const file = path.join(folder.path, "model.gguf");

function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  return { status, stdout, lines: stderr.trimEnd().split("\n") };
}

test("samples are summed up by median, mean and standard deviation", () => {
  expect(summarize([3, 1, 8])).toEqual({ samples: [3, 1, 8], median: 3, mean: 4, deviation: Math.sqrt(13) });
  expect(summarize([4, 1, 2, 3]).median).toBe(2.5);
  expect(summarize([5])).toMatchObject({ median: 5, mean: 5, deviation: 0 });
});

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "bitnet-bench"), () => {
  beforeAll(() => exportChatModel(file));
  const quick = ["--model", file, "--prompt-tokens", "48", "--decode-tokens", "8", "--repetitions", "3"];

  test("prints a table of prefills and one of decodes, with the machine's limits", () => {
    const { status, stdout } = bench(...quick, "--threads", "1,2", "--kv-type", "f16");
    expect(status).toBe(0);
    expect(stdout).toContain("model.gguf: bitnet-b1.58, TQ2_0, embedding F16");
    expect(stdout).toContain(", key / value cache f16\n");
    expect(stdout).toMatch(/peak RSS \d+\.\d MB/);
    const rows = stdout.split("\n").filter((line) => /^\| (prefill 48|decode 8) /.test(line));
    expect(
      rows.map((line) =>
        line
          .split("|")
          .slice(1, 3)
          .map((cell) => cell.trim()),
      ),
    ).toEqual([
      ["prefill 48", "1"],
      ["prefill 48", "2"],
      ["decode 8", "1"],
      ["decode 8", "2"],
    ]);
    for (const row of rows) expect(row).toMatch(/\| +\d+\.\d\d \| +\d+\.\d\d ± \d+\.\d\d \| +[\d.]+ \| +\d+\.\d% \|$/);
  });

  test("--account tells what the file holds and what a token costs", () => {
    const { status, stdout } = bench("--model", file, "--account", "--json");
    expect(status).toBe(0);
    const { types, parameters, per_token, measured_energy, energy_remark } = JSON.parse(stdout);
    expect(types.reduce((sum: number, each: { parameters: number }) => sum + each.parameters, 0)).toBe(parameters);
    const ternary = types.find((each: { type: string }) => each.type === "TQ2_0");
    expect(per_token.int8_additions).toBe(ternary.parameters);
    // One of them: this machine has counters of energy, or says why not.
    expect([measured_energy, energy_remark].filter((each) => each !== null)).toHaveLength(1);
  });

  test("energy is counted over passes, and divided by their tokens", async () => {
    // Six joules, whatever is measured; a pass takes longer than a nanosecond.
    const meter = { names: "package-0", start: () => () => 6 };
    const energy = await measureEnergy(file, { threads: 1 }, { promptTokens: 48, decodeTokens: 8 }, meter, 1e-9);
    expect(energy).toEqual({
      counters: "package-0",
      idle_watts: 6e9,
      prefill_joules_per_token: 6 / 48,
      decode_joules_per_token: 6 / 8,
    });
  });

  test("the account is a table, and lines of what a token costs", async () => {
    const lines = accountLines(file, await accountForFile(file), "no counters");
    const rows = lines.table.map((line) =>
      line
        .split("|")
        .slice(1, 3)
        .map((cell) => cell.trim()),
    );
    expect(rows.map(([type]) => type)).toEqual(expect.arrayContaining(["type", "F16", "TQ2_0", "all"]));
    expect(lines.head).toMatch(/^model\.gguf: [\d,]+ parameters, \d+\.\d+ MB, /);
    expect(lines.prose[1]).toMatch(
      /: [\d.]+ [kM] additions of int8, .* [\d.]+ [pnµ]J of arithmetic at 7 nm\. Left out/,
    );
    expect(lines.prose[2]).toBe("energy not measured: no counters");
  });

  test("gives all samples as JSON; the shares follow from them", async () => {
    const { status, stdout } = bench(...quick, "--threads", "2", "--json");
    expect(status).toBe(0);
    const result = JSON.parse(stdout) as BenchmarkResult;
    expect(result).toMatchObject({ prompt_tokens: 48, decode_tokens: 8, repetitions: 3, isa: loadAddon().variant() });
    const [row] = result.results;
    expect(row.threads).toBe(2);
    expect(row.first_token_seconds).toBeGreaterThan(row.load_seconds);
    expect(row.prefill_tokens_per_second.samples).toHaveLength(3);
    // 2 layers of 256 by 512: q and o are square, k and v half of that, three matrices of the gate.
    const operations = 2 * 2 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 512);
    const share = (row.prefill_tokens_per_second.median * operations) / row.int8_peak!.median;
    expect(row.prefill_share_of_int8_peak).toBeCloseTo(share, 12);
    // Two bits a weight, 16-bit embedding, gains: what the file has, but for the scales of its blocks.
    const bytes = operations / 2 / 4 + 259 * 256 * 2 + 256 * 2 + (5 * 256 + 2 * (256 + 512)) * 4;
    expect(result.config.bytesPerToken).toBe(bytes);
    expect(row.decode_share_of_read_bandwidth).toBeCloseTo(
      (row.decode_tokens_per_second.median * bytes) / row.read_bandwidth.median,
      12,
    );
    const gguf = await GgufFile.open(file);
    const stored = gguf.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    await gguf.close();
    expect(bytes / stored).toBeGreaterThan(0.95);
    expect(bytes / stored).toBeLessThan(1.01);
    expect(result.peak_rss_bytes).toBeGreaterThan(30e6);
  });

  test("has no share of an 8-bit peak for a float model", async () => {
    const float = path.join(folder.path, "float.gguf");
    await exportSmallModel(float, "f32", { weight_quantizer: "none", activation_quantizer: "none" });
    const { stdout } = bench("--model", float, ...quick.slice(2), "--threads", "1", "--json");
    expect((JSON.parse(stdout) as BenchmarkResult).results[0]).toMatchObject({
      int8_peak: null,
      prefill_share_of_int8_peak: null,
    });
  });

  test("refuses what cannot be measured", () => {
    const needs = bench("--model", file, "--prompt-tokens", "600");
    expect([needs.status, needs.lines]).toEqual([
      1,
      ["bitnet-bench: 600 positions are needed, the model's context has 512"],
    ]);
    expect(bench("--model", file, "--threads", "1,x").status).toBe(2);
    expect(bench("--model", file, "--repetitions", "0").status).toBe(2);
    expect(bench("--model", path.join(folder.path, "none.gguf")).status).toBe(1);
  });

  test("the limits of the machine are plausible", async () => {
    const [one, read] = [await measureInt8Peak(1, 0.05), await measureReadBandwidth(1)];
    // No CPU of the kind does less than 1 GOP/s or 100 MB/s, or more than 10 TOP/s and 1 TB/s with a thread.
    if (loadAddon().variant() !== "scalar") expect(one).toBeGreaterThan(1e9);
    expect(one ?? 0).toBeLessThan(1e13);
    expect(read).toBeGreaterThan(1e8);
    expect(read).toBeLessThan(1e12);
  });
});
