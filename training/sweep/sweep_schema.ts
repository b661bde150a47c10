/**
 * The file of a sweep, in the shape of Weights & Biases' sweep files (https://docs.wandb.ai/guides/sweeps): `method`,
 * `metric`, `parameters` with their ranges and distributions, `early_terminate`, `run_cap`. Ours besides: the method
 * `list` with its `runs`, `seeds`, `budget`, `tune`, and what the statistics need (`baseline`, `comparisons`, `decision`,
 * `float_twin`). Parameters are keys of a recipe by their dotted paths.
 */
import { z } from "zod";
import { count, countOrZero, positive } from "../config/numbers.ts";

/** Names are W&B's. `*log_uniform_values` take the values themselves as `min` and `max`, `log_uniform` their logarithms. */
export const distributions = [
  "constant",
  "categorical",
  "uniform",
  "q_uniform",
  "int_uniform",
  "log_uniform",
  "q_log_uniform",
  "log_uniform_values",
  "q_log_uniform_values",
  "inv_log_uniform",
  "inv_log_uniform_values",
  "normal",
  "q_normal",
  "log_normal",
  "q_log_normal",
] as const;

export const parameterSchema = z.strictObject({
  value: z.unknown().optional(),
  values: z.array(z.unknown()).min(1).optional(),
  probabilities: z.array(z.number().min(0)).optional(),
  distribution: z.enum(distributions).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  mu: z.number().optional(),
  sigma: positive.optional(),
  q: positive.optional(),
});
export type Parameter = z.output<typeof parameterSchema>;

const metricSchema = z.strictObject({
  /** A key of the rows of metrics.jsonl. */
  name: z.string().default("val_loss"),
  goal: z.enum(["minimize", "maximize"]).default("minimize"),
  /** Of a run: the value of its last row that has one, or the best of all. */
  take: z.enum(["last", "best"]).default("last"),
});
export type Metric = z.output<typeof metricSchema>;

/** Successive halving in synchronous rungs: at `min_iter`, `min_iter * eta` ... steps one arm in `eta` goes on. */
const earlyTerminateSchema = z.strictObject({
  type: z.enum(["successive_halving"]).default("successive_halving"),
  min_iter: count,
  eta: z.number().min(2).default(3),
});
export type EarlyTerminate = z.output<typeof earlyTerminateSchema>;

const budgetSchema = z.strictObject({
  /**
   * `tokens`: every arm trains on as many tokens as the base recipe. `time`: for as many seconds (`seconds`, by default what
   * the base recipe takes for its steps). `none`: as the recipes say.
   */
  equal: z.enum(["tokens", "time", "none"]).default("tokens"),
  seconds: positive.optional(),
});

/** The value of one key that every arm is given by itself, found on seeds that decide nothing else. */
const tuneSchema = z.strictObject({
  parameter: z.string().default("optimizer.learning_rate"),
  values: z.array(z.number()).min(2).optional(),
  seeds: z.array(countOrZero).min(1).default([100]),
  /** How often the values of an arm are continued, by the ratio of its last two, while the best lies at their edge. */
  extend: countOrZero.default(0),
  /** Folder of an earlier sweep: each arm takes the value of its best run there, by the names of the arms. */
  from: z.string().optional(),
});
export type Tune = z.output<typeof tuneSchema>;

const ruleSchema = z.enum(["two_standard_errors", "t_interval", "bootstrap_interval", "holm"]);

const decisionSchema = z.strictObject({
  /** What must hold, all of it, for an arm to be called better or worse than its baseline. */
  rule: z.union([ruleSchema.transform((rule) => [rule]), z.array(ruleSchema).min(1)]).default(["holm"]),
  confidence: z.number().min(0.5).lt(1).default(0.95),
  /** Differences below it are called negligible, whatever their interval; in units of the metric. */
  negligible: z.number().min(0).default(0),
});
export type Decision = z.output<typeof decisionSchema>;

const comparisonSchema = z.strictObject({ name: z.string(), baseline: z.string(), arms: z.array(z.string()).min(1) });
export type Comparison = z.output<typeof comparisonSchema>;

export const sweepSchema = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  method: z.enum(["grid", "random", "list"]).default("grid"),
  metric: metricSchema.prefault({}),
  /** Nested sections as W&B has them (`optimizer: {parameters: ...}`) or dotted paths; see arms.ts. */
  parameters: z.record(z.string(), z.unknown()).default({}),
  /** `key=a,b,c` of the command line: whatever the method, every arm with every value. */
  axes: z.record(z.string(), z.array(z.unknown()).min(1)).default({}),
  /** Of the method `list`: keys of the recipe, and the arm's `name`. */
  runs: z.array(z.record(z.string(), z.unknown())).min(1).optional(),
  /** Arms that the method `random` draws. */
  run_cap: count.optional(),
  /** Of the draws of the method `random`. */
  draw_seed: countOrZero.default(0),
  /** Values of `training.seed`, for every arm the same; default that of the recipe. */
  seeds: z.array(countOrZero).min(1).optional(),
  budget: budgetSchema.prefault({}),
  tune: tuneSchema.optional(),
  early_terminate: earlyTerminateSchema.optional(),
  /** Arm that the others are compared with; default the first. */
  baseline: z.string().optional(),
  comparisons: z.array(comparisonSchema).optional(),
  decision: decisionSchema.prefault({}),
  /** Arm whose runs are the float twins of the others: how far these are from them is measured (see compare_twin.ts). */
  float_twin: z.string().optional(),
  processes: count.optional(),
  threads: count.optional(),
  /** The recipe that the arms change; in the folder of a sweep only, elsewhere it is `--base`. */
  base: z.record(z.string(), z.unknown()).optional(),
});
export type SweepFile = z.output<typeof sweepSchema>;
