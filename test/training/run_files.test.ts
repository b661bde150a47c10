/** The files of a run: rows that a crash cut off, the loss plot, a full disk. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadImage } from "@napi-rs/canvas";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeLossPlot } from "../../training/loss_plot.ts";
import type { MetricsRow } from "../../training/metrics.ts";
import { appendRow, readRows, truncateRows } from "../../training/run_directory.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "run-files-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("rows", () => {
  it("are appended, read without a cut-off end, and truncated to a step", () => {
    const file = path.join(folder, "rows.jsonl");
    expect(readRows(file)).toEqual([]);
    for (const step of [1, 2, 3]) appendRow(file, { step });
    writeFileSync(file, `${readFileSync(file, "utf8")}{"step": 4, "lo`);
    expect(readRows(file).map(({ step }) => step)).toEqual([1, 2, 3]);
    truncateRows(file, 2);
    expect(readFileSync(file, "utf8")).toBe('{"step":1}\n{"step":2}\n');
  });

  it("truncating an absent file makes none", () => {
    truncateRows(path.join(folder, "absent.jsonl"), 2);
    expect(existsSync(path.join(folder, "absent.jsonl"))).toBe(false);
  });
});

describe("writeLossPlot", () => {
  const row = (step: number, val_loss?: number) => ({ step, loss: 5 - step / 100, val_loss }) as MetricsRow;

  it("draws both curves on white paper", async () => {
    const file = path.join(folder, "loss.png");
    await writeLossPlot(file, [row(10), row(20, 4.9), row(30), row(40, 4.7)]);
    const image = await loadImage(file);
    expect([image.width, image.height]).toEqual([960, 606]);
    const { createCanvas } = await import("@napi-rs/canvas");
    const context = createCanvas(image.width, image.height).getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    /** Pixels of about this colour: edges of lines are mixed with the paper. */
    const count = (...colour: readonly number[]) => {
      let pixels = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (colour.every((value, channel) => Math.abs(data[i + channel] - value) < 24)) pixels++;
      }
      return pixels;
    };
    expect(count(255, 255, 255)).toBeGreaterThan(400_000);
    expect(count(0x5f, 0x6b, 0x76)).toBeGreaterThan(300);
    expect(count(0x2f, 0x6d, 0xb5)).toBeGreaterThan(300);
  });

  it("writes nothing for a run without rows", async () => {
    await writeLossPlot(path.join(folder, "empty.png"), []);
    expect(existsSync(path.join(folder, "empty.png"))).toBe(false);
  });
});

// A mount namespace of one's own gives a small disk without being root.
const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmpdir()]).status === 0;

describe.skipIf(!canMount)(`a full disk${canMount ? "" : " (skipped: unshare and tmpfs are not available)"}`, () => {
  it("ends the run with one line; the checkpoint before is whole", () => {
    const command = path.resolve(import.meta.dirname, "../../cli/bin/bitnet-train.mjs");
    const disk = path.join(folder, "disk");
    // One checkpoint of tiny.yaml (5.5 MB) fits, two do not.
    const script = `mkdir ${disk} && mount -t tmpfs -o size=9m tmpfs ${disk}
      "${process.execPath}" "${command}" --config tiny.yaml --out ${disk}/run >/dev/null; echo "code $?"
      ls -A ${disk}/run/checkpoints; cat ${disk}/run/checkpoints/latest`;
    const { stdout, stderr } = spawnSync("unshare", ["-rm", "sh", "-c", script], {
      encoding: "utf8",
      env: { ...process.env, BITNET_CACHE: path.join(folder, "cache") },
    });
    expect(stderr).toMatch(/^bitnet-train: cannot write .*: no space left on the disk\n$/);
    expect(stdout.split("\n")).toEqual(["code 1", "latest", "step-00000005", "step-00000005", ""]);
  }, 300_000);
});
