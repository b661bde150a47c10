import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, it } from "vitest";

/** Runs the script under a heap that is smaller than the corpus. */
function run(heapMegabytes: number, ...options: string[]): Record<string, number> {
  const script = path.join(import.meta.dirname, "large_corpus.ts");
  const heap = `--max-old-space-size=${heapMegabytes}`;
  const result = spawnSync(process.execPath, [heap, "--import", "tsx", script, ...options], { encoding: "utf8" });
  expect(result.stderr).toBe("");
  expect(result.status).toBe(0);
  return JSON.parse(result.stdout) as Record<string, number>;
}

describe("a corpus larger than the heap", () => {
  it("is prepared and read, whether many documents or one", { timeout: 600_000 }, () => {
    const many = run(56, "--megabytes", "58", "--workers", "1", "--batches", "100");
    expect(many.megabytes).toBeGreaterThan(57);
    expect(many.tokens_read).toBe(100 * 32 * 256);
    // Node, the libraries and two threads take about 300 MB by themselves.
    expect(many.peak_rss_mb).toBeLessThan(450);
    const single = run(56, "--megabytes", "58", "--workers", "0", "--batches", "100", "--shape", "single");
    expect(single.documents).toBe(1);
    expect(single.peak_rss_mb).toBeLessThan(400);
  });
});
