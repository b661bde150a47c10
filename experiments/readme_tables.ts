/**
 * `npm run readme`: rewrites the tables of README.md, docs/benchmarks.md, docs/evaluation.md and of studies from the files
 * in experiments/results and experiments/studies. With --check it only reports whether they are up to date.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Agreement } from "../test/support/lm_eval/lm_eval_agreement.ts";
import { type Measurement, machineName } from "./bench/measurement.ts";
import { renderTrainingChart } from "./bench/training_contest.ts";
import { type Blocks, table, updatePages } from "./pages/blocks.ts";
import { precisionTable, readStudy } from "./studies/backward_precision_rows.ts";
import { studyTables } from "./studies/study_tables.ts";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");
const results = (name: string) => path.join(root, "experiments/results", name);
const readJson = (name: string) => JSON.parse(readFileSync(results(name), "utf8"));
const readJsonLines = (name: string) =>
  readFileSync(results(name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** A CPU and how its kernels ran: what figures can be set beside each other for. */
const machineKeys = ["cpu", "features", "isa"];

/**
 * The last measurement of each contender (rows are appended), one list per kind of CPU, the one that was measured last
 * first.
 */
function lastRowsByMachine(section: string, keys: readonly string[]): Measurement[][] {
  const machines = new Map<string, Map<string, Measurement>>();
  for (const row of readJsonLines("bench.jsonl") as Measurement[]) {
    if (row.section !== section || row.contender === undefined) continue;
    const machine = machineKeys.map((key) => row[key]).join();
    const rows = machines.get(machine) ?? new Map<string, Measurement>();
    machines.set(machine, rows.set(keys.map((key) => row[key]).join(), row));
  }
  const dateOf = (rows: readonly Measurement[]) =>
    rows
      .map((row) => String(row.date))
      .sort()
      .at(-1)!;
  const lists = Array.from(machines.values(), (rows) => [...rows.values()]);
  return lists.sort((a, b) => dateOf(b).localeCompare(dateOf(a)));
}

const trainingKeys = ["shape", "threads", "contender"];

const fixed = (value: string | number | undefined, digits: number) =>
  value === undefined ? "" : Number(value).toFixed(digits);
/** Rows of before features were kept have none. */
const machineOf = (row: Measurement) =>
  `${machineName(row)}${row.features === undefined ? "" : ` (of ${row.features})`}, ${String(row.date).slice(0, 10)}.`;

/** What a part needs and how it is drawn. */
interface Part {
  file: string;
  render: () => string;
}

/** The last measurement of each contender of a section of `npm run bench`, a block for every kind of CPU. */
function benchTable(
  section: string,
  keys: readonly string[],
  header: string[],
  cells: (row: Measurement) => (string | number)[],
  remark = "",
): Part {
  const render = () => {
    const blocks = lastRowsByMachine(section, keys).map((rows) => {
      return `${table(header, rows.map(cells))}\n\n${machineOf(rows.at(-1)!)}`;
    });
    return blocks.length === 0 ? "" : `${blocks.join("\n\n")}${remark}`;
  };
  return { file: "bench.jsonl", render };
}

const parts: Record<string, Part> = {
  quickstart: {
    file: "quickstart.json",
    render: () => {
      const record = readJson("quickstart.json");
      const rows = record.rows.map((row: { task: string; chance: number; checkpoint: number; gguf: number }) => [
        row.task,
        row.chance.toFixed(2),
        row.checkpoint.toFixed(4),
        row.gguf.toFixed(4),
      ]);
      return (
        `${table(["held-out task", "guessing", "checkpoint", "GGUF, native engine"], rows)}\n\n` +
        `Trained in ${record.trained}, all in ${record.total}, on 2 cores of ${record.cpu}; the GGUF file has ${record.gguf_megabytes} MB.`
      );
    },
  },
  loss_curve: {
    file: "loss_curve.jsonl",
    render: () => {
      const rows = readJsonLines("loss_curve.jsonl").filter((row) => row.reference_loss !== undefined);
      const at = (twin: string, step: number) => rows.find((row) => row.twin === twin && row.step === step);
      const loss = (value: number | undefined) => value?.toFixed(3) ?? "";
      const steps = [...new Set<number>(rows.map((row) => row.step))].sort((x, y) => x - y);
      return table(
        ["step", "BitNet, bitnet-lab", "BitNet, PyTorch", "float twin, bitnet-lab", "float twin, PyTorch"],
        steps.map((step) => [
          step,
          ...["bitnet", "float"].flatMap((twin) => [
            loss(at(twin, step)?.validation_loss),
            loss(at(twin, step)?.reference_loss),
          ]),
        ]),
      );
    },
  },
  backward_precision: {
    file: "backward_precision.jsonl",
    render: () => {
      const rows = precisionTable(readStudy());
      const cells = rows.map((row) => [
        row.shape!,
        row.steps!,
        row.precision!,
        row.losses!,
        row.precision === "f32" ? "" : `${row.difference} ± ${row.standard_error}`,
        row.seed_spread!,
      ]);
      return table(["shape", "steps", "backward", "by seed", "difference", "spread of seeds"], cells);
    },
  },
  training_speed: benchTable(
    "train",
    trainingKeys,
    ["shape", "threads", "", "tokens/s", "ratio", "of fp32 peak", "peak RSS, MB"],
    (row) => [
      row.shape!,
      row.threads!,
      row.contender!,
      fixed(row.tokens_per_second, 0),
      fixed(row.over_best_pytorch, 2),
      row.share_of_fp32_peak === undefined ? "" : `${fixed(100 * Number(row.share_of_fp32_peak), 0)}%`,
      fixed(row.peak_rss_mb, 0),
    ],
    " Shapes: experiments/bench/shapes.ts. `BITNET_ISA` keeps PyTorch's libraries to the same instructions as our kernels.",
  ),
  engine_speed: benchTable(
    "engine",
    ["model", "head", "threads", "contender"],
    ["model", "head", "threads", "", "prefill 512", "ratio", "decode 64", "ratio", "peak RSS, MB"],
    (row) => [
      row.model!,
      row.head!,
      row.threads!,
      row.contender!,
      fixed(row.prefill_tokens_per_second, 1),
      fixed(row.prefill_ratio, 2),
      fixed(row.decode_tokens_per_second, 1),
      fixed(row.decode_ratio, 2),
      fixed(row.peak_rss_mb, 0),
    ],
  ),
  evaluation_speed: benchTable(
    "evaluate",
    ["shape", "task", "threads", "contender"],
    ["shape", "threads", "", "documents", "documents/s", "bitnet-lab is faster by", "acc", "peak RSS, MB"],
    (row) => [
      row.shape!,
      row.threads!,
      row.contender!,
      row.documents!,
      fixed(row.documents_per_second, 1),
      fixed(row.ratio, 1),
      fixed(row.acc, 4),
      fixed(row.peak_rss_mb, 0),
    ],
  ),
  lm_eval_agreement: {
    file: "lm_eval_agreement.jsonl",
    render: () => {
      const header = [
        "model",
        "task",
        "metric",
        "documents",
        "lm_eval",
        "bitnet-eval",
        "judged differently",
        "near ties",
      ];
      const rows = readJsonLines("lm_eval_agreement.jsonl") as (Agreement & { model: string })[];
      const cells = rows.map((row) => [
        row.model,
        `${row.task}, ${row.shots}-shot`,
        row.metric,
        row.documents,
        row.lm_eval.toFixed(4),
        row.bitnet_eval.toFixed(4),
        row.judged_differently,
        row.near_ties,
      ]);
      return table(header, cells);
    },
  },
};

/** What is kept of the sweeps of a study, by block. */
const keptSweeps = {
  study_t: "studies/small_ternary/t",
  study_s: "studies/small_ternary/s",
  study_averages: "studies/small_ternary/averages",
};

function keptTables(sweep: string): string | null {
  const folder = path.join(root, "experiments", sweep);
  return existsSync(path.join(folder, "runs.json")) ? studyTables(folder) : null;
}

const pages = ["README.md", "docs/benchmarks.md", "docs/evaluation.md", "experiments/studies/small_ternary.md"];
const blocks: Blocks = Object.fromEntries([
  ...Object.entries(parts).map(([name, { file, render }]) => [
    name,
    () => (existsSync(results(file)) ? render() : null),
  ]),
  ...Object.entries(keptSweeps).map(([name, sweep]) => [name, () => keptTables(sweep)]),
]);

/** The pages whose tables are not those of the results; without `isCheck` they are written. */
export const updateTables = (isCheck: boolean): string[] => updatePages(root, pages, blocks, isCheck);

/** The picture of the CPU that was measured last: of its contests the one with the most contenders. */
async function drawTrainingChart(): Promise<void> {
  const [latest, ...others] = lastRowsByMachine("train", trainingKeys);
  // Others force a variant.
  const newest = others.reduce(
    (most, rows) => (most && rows[0]!.cpu === most[0]!.cpu && rows.length > most.length ? rows : most),
    latest,
  );
  if (newest) writeFileSync(results("training_speed.png"), await renderTrainingChart(newest));
}

if (import.meta.filename === process.argv[1]) {
  const isCheck = process.argv.includes("--check");
  const changed = updateTables(isCheck);
  if (isCheck) {
    for (const page of changed) console.error(`${page} does not match experiments/results: run \`npm run readme\``);
    if (changed.length > 0) process.exitCode = 1;
  } else if (existsSync(results("bench.jsonl"))) await drawTrainingChart();
}
