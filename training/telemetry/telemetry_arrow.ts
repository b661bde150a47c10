/**
 * telemetry.arrow: the rows of telemetry.jsonl as one table in an Arrow IPC file, a column a key. Numbers are float64,
 * histograms structs {low, high, counts}; null where a row has none. `pyarrow.feather.read_table`, pandas, polars and
 * DuckDB read it.
 */
import { Field, Float64, Int32, List, Struct, Table, tableToIPC, Uint32, Utf8, vectorFromArray } from "apache-arrow";
import { writeWholeFileSync } from "../../src/files/whole_file.ts";
import { readRows } from "../run_directory.ts";
import { type TelemetryRow, telemetryHistograms, telemetryNumbers } from "./telemetry_row.ts";

const histogramType = new Struct<{ low: Float64; high: Float64; counts: List<Uint32> }>([
  new Field("low", new Float64()),
  new Field("high", new Float64()),
  new Field("counts", new List(new Field("item", new Uint32()))),
]);

/** The bytes of the file. */
function telemetryTable(rows: readonly TelemetryRow[]): Uint8Array {
  const texts = (key: "name" | "kind") =>
    vectorFromArray(
      rows.map((row) => row[key]),
      new Utf8(),
    );
  const numbers = telemetryNumbers.map((key) => [
    key,
    vectorFromArray(
      rows.map((row) => row[key] ?? null),
      new Float64(),
    ),
  ]);
  const histograms = telemetryHistograms.map((key) => [
    key,
    vectorFromArray(
      rows.map((row) => row[key] ?? null),
      histogramType,
    ),
  ]);
  const table = new Table({
    step: vectorFromArray(
      rows.map(({ step }) => step),
      new Int32(),
    ),
    name: texts("name"),
    kind: texts("kind"),
    ...Object.fromEntries([...numbers, ...histograms]),
  });
  return tableToIPC(table, "file");
}

/** Renews `file` from the rows of `rowsFile`; leaves it alone where there are none. */
export function writeTelemetryTable(file: string, rowsFile: string): void {
  const rows = readRows<TelemetryRow>(rowsFile);
  if (rows.length > 0) writeWholeFileSync(file, telemetryTable(rows));
}
