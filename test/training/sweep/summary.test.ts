/** Verdicts: what the seeds of a sweep allow to be said, and what not. */
import { expect, test } from "vitest";
import { armsOf } from "../../../training/sweep/arms.ts";
import { armConfig, readBase } from "../../../training/sweep/base_recipe.ts";
import { comparisonsOf } from "../../../training/sweep/comparisons.ts";
import { parseSweep } from "../../../training/sweep/read_sweep.ts";
import { armTable, comparisonTable, summaryNotes } from "../../../training/sweep/report_text.ts";
import { scalingFits, scalingLines } from "../../../training/sweep/scaling_report.ts";
import { summarize } from "../../../training/sweep/summary.ts";
import type { RunResult, SweepResults } from "../../../training/sweep/sweep_results.ts";

const base = readBase("tiny.yaml", []);

function runOf(arm: string, seed: number, value: number | null, changes: Partial<RunResult> = {}): RunResult {
  const failure = value === null ? "step 3: the loss is NaN" : null;
  return {
    name: `${arm}-s${seed}`,
    folder: `${arm}-s${seed}`,
    arm,
    seed,
    stage: "final",
    status: value === null ? "failed" : "finished",
    steps: 20,
    until: 20,
    step: value === null ? 2 : 20,
    tokens: 2560,
    value,
    bitsPerByte: value === null ? null : value / Math.LN2,
    learningRate: 0.002,
    failure,
    floatTwin: null,
    rows: [],
    config: armConfig(base),
    ...changes,
  };
}

/** Values of each arm by seed, the first arm is the baseline. */
function resultsOf(values: Record<string, (number | null)[]>, yaml = ""): SweepResults {
  const runs = Object.entries(values).flatMap(([arm, own]) => own.map((value, i) => runOf(arm, i + 1, value)));
  const arms = Object.keys(values);
  const sweep = parseSweep(yaml, "sweep.yaml");
  const known = arms.map((name) => ({ name, assignments: [] }));
  const comparisons = known.length === 0 ? [] : comparisonsOf(sweep, known);
  return { sweep, arms, baseline: arms[0], comparisons, seeds: [1, 2, 3, 4, 5], runs, tuned: {} };
}

const values = {
  base: [2.5, 2.6, 2.4, 2.55, 2.45],
  // Better by 0.05 at every seed, though the seeds differ by more.
  better: [2.45, 2.551, 2.349, 2.5, 2.401],
  worse: [2.6, 2.701, 2.499, 2.65, 2.551],
  unclear: [2.49, 2.65, 2.38, 2.58, 2.43],
  tiny: [2.499, 2.599, 2.399, 2.5491, 2.4491],
  fails: [2.4, 2.5, null, 2.45, 2.35],
};

test("pairs of one seed find what means hide, and only that", () => {
  const { comparisons, arms } = summarize(resultsOf(values, "decision: {negligible: 0.003}"));
  const [{ arms: compared, ranking }] = comparisons;
  expect(compared.map(({ arm, verdict }) => [arm, verdict])).toEqual([
    ["better", "better"],
    ["worse", "worse"],
    ["unclear", "not separated"],
    ["tiny", "negligible"],
    ["fails", "failed"],
  ]);
  const [better] = compared;
  expect(better).toMatchObject({ n: 5, mean: expect.closeTo(-0.0498, 10) });
  expect(better.tInterval!.high).toBeLessThan(0);
  // Five tests: the smallest p is multiplied by 5, and the interval widened as much.
  expect(better.adjustedInterval!.high).toBeGreaterThan(better.tInterval!.high);
  expect(compared.find(({ arm }) => arm === "unclear")!.neededSeeds).toBeGreaterThan(5);
  expect(arms.find(({ arm }) => arm === "fails")).toMatchObject({ n: 4, failed: 1 });
  // What is not told from the best shares its place.
  const places = Object.fromEntries(ranking.map(({ arm, best, worst }) => [arm, [best, worst]]));
  expect(places.worse).toEqual([6, 6]);
  expect(places.unclear[0]).toBeLessThan(places.unclear[1]);
});

test("a larger value is better where the goal says so", () => {
  const { comparisons } = summarize(resultsOf(values, "metric: {goal: maximize}"));
  expect(comparisons[0].arms.slice(0, 2).map(({ verdict }) => verdict)).toEqual(["worse", "better"]);
  expect(comparisons[0].ranking[0].arm).toBe("worse");
});

test("all rules of a decision must hold", () => {
  const two = { base: [1, 1, 1, 1, 1], arm: [0.9, 0.95, 0.985, 0.99, 0.93] };
  const verdict = (rule: string) =>
    summarize(resultsOf({ ...two, other: [1.1, 0.9, 1, 1.05, 0.95] }, `decision: {rule: ${rule}, confidence: 0.95}`))
      .comparisons[0].arms[0].verdict;
  // Its p is 0.045: alone it is below 0.05, one of two it is not.
  expect(verdict("t_interval")).toBe("better");
  expect(verdict("two_standard_errors")).toBe("better");
  expect(verdict("bootstrap_interval")).toBe("better");
  expect(verdict("holm")).toBe("not separated");
  expect(verdict("[two_standard_errors, holm]")).toBe("not separated");
});

test("a single pair, a stopped arm and open runs have no verdict", () => {
  const results = resultsOf({ base: [1], one: [0.5], stopped: [0.1] });
  const runs = results.runs.map((run) => (run.arm === "stopped" ? { ...run, status: "stopped" as const } : run));
  const { comparisons, arms } = summarize({ ...results, runs });
  expect(comparisons[0].arms.map(({ verdict }) => verdict)).toEqual(["one pair", "unfinished"]);
  // Its loss is that of fewer updates.
  expect(arms[2]).toMatchObject({ n: 0, unfinished: 1, mean: null });
});

test("comparisons have their own baselines, and Holm's correction is theirs", () => {
  const yaml = "comparisons: [{name: a, baseline: base, arms: [better]}, {name: b, baseline: better, arms: [worse]}]";
  const { comparisons } = summarize(resultsOf(values, yaml));
  expect(comparisons.map(({ name, baseline, arms }) => [name, baseline, arms.length])).toEqual([
    ["a", "base", 1],
    ["b", "better", 1],
  ]);
  expect(comparisons[0].arms[0].adjustedP).toBe(comparisons[0].arms[0].p);
  expect(comparisons[1].arms[0].mean).toBeCloseTo(0.15, 2);
});

test("each question of a list has its comparison, with the baseline of all or one of its own", () => {
  const ask = (yaml: string) => {
    const sweep = parseSweep(`method: list\nruns:\n${yaml}`, "sweep.yaml");
    return comparisonsOf(sweep, armsOf(sweep));
  };
  expect(
    ask(`
  - {name: base}
  - {name: at half, question: weight decay, optimizer.weight_decay: 0.05}
  - {name: row, question: scales, model.weight_quantizer: absmean_ternary_row}
  - {name: none, question: weight decay, optimizer.weight_decay: 0}
  - {name: fine, question: finer, baseline: at half, optimizer.weight_decay: 0.01}
`),
  ).toEqual([
    { name: "weight decay", baseline: "base", arms: ["at_half", "none"] },
    { name: "scales", baseline: "base", arms: ["row"] },
    { name: "finer", baseline: "at_half", arms: ["fine"] },
  ]);
  const two = "  - {name: a}\n  - {name: b, question: q, baseline: a}\n  - {name: c, question: q, baseline: b}";
  expect(() => ask(two)).toThrow("question q: it has two baselines, a and b");
});

test("the report fits 80 columns, and tells edges, failures and the rule", () => {
  const results = resultsOf(values);
  const edge = { value: 0.004, edge: "highest" as const, tried: [] };
  const summary = summarize({ ...results, tuned: { better: edge } });
  const lines = [armTable(summary, false), comparisonTable(summary.comparisons[0], 0.95, false)].flat();
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines).toContain("| better  |     5 |    -0.0498 | -0.0508 to -0.0488 |  <0.001 | better        |");
  const notes = summaryNotes(summary);
  expect(notes).toContain("better: 0.004 is the highest value that was tried; a better one may lie beyond");
  expect(notes).toContain("fails-s3 failed: step 3: the loss is NaN");
  expect(notes.at(-1)).toMatch(/p < 0\.05 after Holm's correction over the arms of a comparison\.$/);
  expect(notes.at(-2)).toContain(
    "the last 5% of the data, 16 windows of it at most, evenly spread, in windows of 32 tokens",
  );
});

test("scaling laws: one for each kind of weights, over the sizes of the layers' matrices", () => {
  const float = "model.weight_quantizer: none\nmodel.activation_quantizer: none".split("\n");
  const runs = ["none", "absmean_ternary"].flatMap((quantizer, kind) =>
    [128, 256, 512].map((width, i) => {
      const assignments = [
        { key: "model.hidden_size", value: width },
        ...(kind === 0 ? float.map((line) => ({ key: line.split(": ")[0], value: line.split(": ")[1] })) : []),
      ];
      const config = armConfig(base, { name: `${quantizer} ${width}`, assignments });
      return runOf(`${quantizer} ${width}`, 1, 3 + 0.1 * kind + 2 / (i + 1), { config });
    }),
  );
  const fits = scalingFits({ ...resultsOf({}), arms: [], runs });
  expect(fits.map(({ name }) => name)).toEqual(["float", "absmean_ternary"]);
  // Query and output are square, key and value half of it, three matrices of 256 in the feed-forward block.
  expect(fits[0].points[0].parameters).toBe(3 * 128 * 128 + 3 * 128 * 256);
  // Three points, three parameters.
  expect(fits[0].residual).toBeLessThan(1e-3);
  expect(scalingLines(fits[1])[0]).toMatch(/^absmean_ternary: L = .* \/ N\^/);
});
