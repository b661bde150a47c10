/**
 * `npm run bench [-- kernels train engine evaluate] [--help]`: what this machine does. Prints tables; appends JSON lines
 * (default experiments/results/bench.jsonl) that carry date, commit, CPU, features, ISA and threads. Benchmarks only
 * inform: nothing here passes or fails.
 */

import { existsSync } from "node:fs";
import path from "node:path";
import { checkInteger, runCommand, UsageError } from "../../cli/command.ts";
import { allowedThreads } from "../../src/machine/threads.ts";
import { compareMeasurements, readMeasurements } from "./comparison.ts";
import { appendJsonLines, environment, formatTable, type Measurement } from "./measurement.ts";
import { type Section, sections } from "./sections.ts";
import { evaluationShapes, trainingShapes } from "./shapes.ts";

const names = Object.keys(sections) as Section[];
const list = (text: string) => text.split(",").filter(Boolean);

/** Columns of a section's table: those of its rows, in order of appearance. */
const columnsOf = (rows: readonly Measurement[]) => [...new Set(rows.flatMap((row) => Object.keys(row)))];

/** @throws {UsageError} naming the values of `flag` that are not among `known`. */
function checkNames(flag: string, given: readonly string[], known: readonly string[]): void {
  const unknown = given.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`${flag}: ${unknown.join(", ")} is none of ${known.join(", ")}`);
}

await runCommand({
  name: "npm run bench --",
  summary:
    "Measures this machine, side by side with other programs where they are installed. Sections: kernels, train, engine, evaluate; without one, all of them.",
  positionals: ["section", "section", "section", "section"],
  requiredPositionals: 0,
  options: {
    threads: { type: "string", describe: "thread counts, as in 1,2 [default: 1 and all CPUs]" },
    shapes: { type: "string", default: "T,S", describe: `training: ${Object.keys(trainingShapes).join(", ")}` },
    contenders: { type: "string", default: "", describe: "training: only names that match this regular expression" },
    models: { type: "string", describe: "engine: GGUF files with commas between them [default: a small random one]" },
    "evaluation-shapes": { type: "string", default: "M", describe: Object.keys(evaluationShapes).join(", ") },
    "data-dir": { type: "string", describe: "evaluate: folder of arc_easy/test.jsonl [default: generated questions]" },
    rounds: { type: "number", default: 5, describe: "rounds of the contests; figures are medians" },
    out: {
      type: "string",
      default: path.join(import.meta.dirname, "../results/bench.jsonl"),
      defaultDescription: "experiments/results/bench.jsonl",
      describe: "file that rows are appended to; - for none",
    },
    compare: { type: "string", describe: "print ratios to the rows of this file that are of the same CPU" },
  },
  examples: [
    ["$0 kernels --threads 1", "every native kernel of every variant beside the measured peaks"],
    ["$0 train --shapes T,S,M", "the training step in every backward precision beside PyTorch"],
    ['$0 train --shapes M --contenders "int8|bf16 compiled$"', "two of them alone, which takes less time and memory"],
    ["$0 engine --models model.gguf", "prefill 512 and decode 64 beside llama.cpp or bitnet.cpp"],
    ["$0 kernels --out - --compare experiments/results/bench.jsonl", "has it become faster?"],
  ],
  epilogue:
    "PYTHON names a Python with torch, transformers and lm_eval; NODE_LLAMA_CPP the folder of node-llama-cpp; BITNET_CPP the build of bitnet.cpp. BITNET_ISA forces a kernel variant in train, engine and evaluate.",
  async run(options, { positionals }) {
    const threads = options.threads?.split(",").map(Number) ?? [...new Set([1, allowedThreads()])];
    for (const count of threads) checkInteger("threads", count, 1);
    checkInteger("rounds", options.rounds, 1);
    const shapes = list(options.shapes);
    const evaluated = list(options["evaluation-shapes"]);
    const models = list(options.models ?? "");
    checkNames("section", positionals, names);
    checkNames("--shapes", shapes, Object.keys(trainingShapes));
    checkNames("--evaluation-shapes", evaluated, Object.keys(evaluationShapes));
    for (const file of [...models, ...list(options.compare ?? "")]) {
      if (!existsSync(file)) throw new UsageError(`no such file: ${file}`);
    }
    // Before this run's own rows join it.
    const stored = options.compare === undefined ? undefined : readMeasurements(options.compare);
    const facts = environment();
    console.log(
      columnsOf([facts])
        .map((key) => `${key} ${facts[key]}`)
        .join("  "),
    );
    const measured: Measurement[] = [];
    for (const section of positionals.length > 0 ? (positionals as Section[]) : names) {
      const rows = await sections[section]({
        threads,
        shapes,
        contenders: new RegExp(options.contenders),
        evaluationShapes: evaluated,
        models,
        dataDirectory: options["data-dir"],
        rounds: options.rounds,
      });
      console.log(`\n${section}\n${formatTable(rows, columnsOf(rows))}`);
      const complete = rows.map((row) => ({ ...facts, section, ...row }));
      measured.push(...complete);
      if (options.out !== "-") appendJsonLines(options.out, complete);
    }
    if (stored === undefined) return;
    const { rows, summary } = compareMeasurements(measured, stored, options.compare!);
    console.log(`\n${summary}`);
    if (rows.length > 0) console.log(formatTable(rows, columnsOf(rows)));
  },
});
