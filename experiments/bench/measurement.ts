/** What every benchmark line carries, and how lines are kept and shown. */
import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { loadAddon } from "../../native/addon.ts";
import { thisCpuName } from "../../native/cpu_name.ts";
import { allowedThreads } from "../../src/machine/threads.ts";

export type Measurement = Record<string, string | number>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function commit(): string {
  try {
    const head = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
    return execFileSync("git", ["status", "--porcelain"], { encoding: "utf8" }) ? `${head}+changes` : head;
  } catch {
    return "unknown";
  }
}

/** Facts of this machine and tree. */
export function environment(): Measurement {
  const addon = loadAddon();
  return {
    date: new Date().toISOString(),
    commit: commit(),
    cpu: thisCpuName(),
    features: addon.features().features.join(" "),
    cpus: allowedThreads(),
    isa: addon.variant(),
    node: process.version,
  };
}

/** What a row was measured on. Rows of before variants were kept have none. */
export function machineName({ cpu, isa }: Measurement): string {
  return isa === undefined ? String(cpu) : `${cpu}, ${isa} kernels`;
}

export function appendJsonLines(file: string, rows: readonly Measurement[]): void {
  appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

/** Rows as an aligned table; numbers with three significant digits or more. */
export function formatTable(rows: readonly Measurement[], columns: readonly string[]): string {
  const text = (value: string | number | undefined) =>
    value === undefined
      ? ""
      : typeof value === "string"
        ? value
        : value >= 1000
          ? value.toFixed(0)
          : `${Number(value.toPrecision(4))}`;
  const cells = [columns, ...rows.map((row) => columns.map((column) => text(row[column])))];
  const widths = columns.map((_, c) => Math.max(...cells.map((row) => row[c]!.length)));
  return cells
    .map((row) => row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join("  "))
    .join("\n");
}
