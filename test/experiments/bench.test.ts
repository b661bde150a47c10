/** `npm run bench` as a user calls it, and its comparison with stored rows. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compareMeasurements, readMeasurements } from "../../experiments/bench/comparison.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bench(...args: string[]) {
  const script = path.join(import.meta.dirname, "../../experiments/bench/bench.ts");
  return spawnSync(process.execPath, ["--import", "tsx", script, ...args], { encoding: "utf8", cwd: process.cwd() });
}

describe("the command", () => {
  it("has help that names every section and flag", () => {
    const { status, stdout, stderr } = bench("--help");
    expect(stderr).toBe("");
    expect(status).toBe(0);
    for (const name of [
      "kernels",
      "train",
      "engine",
      "evaluate",
      "--threads",
      "--compare",
      "--out",
      "NODE_LLAMA_CPP",
    ]) {
      expect(stdout).toContain(name);
    }
  }, 60_000);

  it.each([
    [["--thread", "2"], /unknown flag --thread; the nearest is --threads/],
    [["kernel"], /kernel is none of kernels, train, engine, evaluate/],
    [["train", "--shapes", "T,Q"], /--shapes: Q is none of T, S/],
    [["kernels", "--threads", "0"], /--threads must be an integer of at least 1/],
    [["kernels", "--compare", "absent.jsonl"], /no such file: absent\.jsonl/],
  ])(
    "%j: one line, exit code 2",
    (args, message) => {
      const { status, stdout, stderr } = bench(...args);
      expect(stderr).toMatch(message);
      expect(stderr.trim().split("\n")).toHaveLength(1);
      expect(stdout).toBe("");
      expect(status).toBe(2);
    },
    60_000,
  );
});

describe("compareMeasurements", () => {
  const cpu = { cpu: "AMD EPYC (Zen 4)", features: "avx2 avx512vnni", isa: "avx512vnni", section: "kernels" };
  const gemm = { bench: "ternary_gemm", threads: 1, rows: 512, cols: 512, tokens: 8, seconds: 1e-5 };

  it("divides speeds by the last stored row of the same CPU and measurement", () => {
    const stored = [
      { ...cpu, ...gemm, commit: "a", gops: 50 },
      { ...cpu, ...gemm, commit: "b", gops: 100, gbps: 4 },
      { ...cpu, ...gemm, tokens: 1, commit: "b", gops: 7 },
      { ...cpu, features: "avx2", ...gemm, commit: "c", gops: 1 },
    ];
    const now = [{ ...cpu, ...gemm, commit: "d", gops: 150, gbps: 5 }];
    const { rows, summary } = compareMeasurements(now, stored, "old.jsonl");
    expect(rows).toEqual([
      expect.objectContaining({ speed: "gops", now: 150, stored: 100, ratio: 1.5, commit: "b" }),
      expect.objectContaining({ speed: "gbps", now: 5, stored: 4, ratio: 1.25 }),
    ]);
    expect(rows[0]!.measurement).toBe("ternary_gemm avx512vnni threads 1 rows 512 cols 512 tokens 8");
    expect(summary).toBe("2 speeds compared with old.jsonl: median ratio 1.375 (now / stored)");
  });

  it("says why nothing matches", () => {
    const now = [{ ...cpu, ...gemm, gops: 1 }];
    const other = compareMeasurements(now, [{ ...now[0]!, cpu: "AMD EPYC", features: "avx2" }], "old.jsonl");
    expect(other).toEqual({
      rows: [],
      summary:
        "nothing to compare: old.jsonl has no row of this CPU (AMD EPYC (Zen 4) avx2 avx512vnni), only of AMD EPYC avx2",
    });
    const same = compareMeasurements(now, [{ ...now[0]!, tokens: 9 }], "old.jsonl");
    expect(same.summary).toContain("holds rows of this CPU, but of other measurements");
  });
});

describe("readMeasurements", () => {
  it("names the line that is broken", () => {
    const file = path.join(folder, "rows.jsonl");
    writeFileSync(file, '{"a":1}\n\n{"a":2}\n');
    expect(readMeasurements(file)).toEqual([{ a: 1 }, { a: 2 }]);
    writeFileSync(file, '{"a":1}\n{"a"\n');
    expect(() => readMeasurements(file)).toThrow(`${file}:2: is not a line of JSON`);
  });
});
