/** `npm run bench -- --compare FILE`: the rows of this run over the stored ones of the same CPU. */
import { readFileSync } from "node:fs";
import { type Measurement, median } from "./measurement.ts";

/** Speeds: more is better. A row's first of them is compared. */
const speeds = [
  "tokens_per_second",
  "prefill_tokens_per_second",
  "decode_tokens_per_second",
  "documents_per_second",
  "gops",
  "gbps",
] as const;

/** What says which measurement a row is. */
const identifying = [
  ...["section", "bench", "isa", "threads", "contender", "shape", "model", "type", "head", "task", "what", "operands"],
  ...["rows", "cols", "tokens", "layers", "m", "n", "k", "heads", "queries", "keys", "head_dim"],
];

const cpuOf = (row: Measurement) => [row.cpu, row.features].filter((part) => part !== undefined).join(" ");
const keyOf = (row: Measurement) => JSON.stringify([cpuOf(row), ...identifying.map((key) => row[key] ?? null)]);

/** Rows of a JSON lines file. @throws if it cannot be read or a line is not JSON. */
export function readMeasurements(file: string): Measurement[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line, i) => {
      if (line.trim() === "") return [];
      try {
        return [JSON.parse(line) as Measurement];
      } catch {
        throw new Error(`${file}:${i + 1}: is not a line of JSON`);
      }
    });
}

export interface Comparison {
  /** A row per speed: what was measured, now, stored, and now over stored. */
  rows: Measurement[];
  /** For people: what was compared, or why nothing was. */
  summary: string;
}

/**
 * Sets the speeds of `now` beside the last stored row of the same CPU (name and features) and the same measurement.
 * @param file name for the summary
 */
export function compareMeasurements(
  now: readonly Measurement[],
  stored: readonly Measurement[],
  file: string,
): Comparison {
  const last = new Map(stored.map((row) => [keyOf(row), row]));
  const rows = now.flatMap((row) => {
    const before = last.get(keyOf(row));
    if (before === undefined) return [];
    const measured = speeds.filter((key) => row[key] !== undefined && Number(before[key]) > 0);
    const what = identifying.filter((key) => row[key] !== undefined && key !== "section");
    return measured.map((speed): Measurement => {
      const described = what.map((key) => (typeof row[key] === "string" ? row[key] : `${key} ${row[key]}`)).join(" ");
      const [current, past] = [Number(row[speed]), Number(before[speed])];
      const commit = String(before.commit ?? "");
      return { measurement: described, speed, now: current, stored: past, ratio: current / past, commit };
    });
  });
  const cpu = now[0] === undefined ? "" : cpuOf(now[0]);
  if (rows.length === 0) {
    const others = [...new Set(stored.map(cpuOf))];
    const reason = others.includes(cpu)
      ? `holds rows of this CPU, but of other measurements`
      : `has no row of this CPU (${cpu}), only of ${others.length === 0 ? "none" : others.join("; ")}`;
    return { rows, summary: `nothing to compare: ${file} ${reason}` };
  }
  const ratio = median(rows.map((row) => Number(row.ratio))).toFixed(3);
  return { rows, summary: `${rows.length} speeds compared with ${file}: median ratio ${ratio} (now / stored)` };
}
