/** What a sweep's file means: arms, names, seeds, budgets, and what is refused in a line. */
import { expect, test } from "vitest";
import { armsOf } from "../../../training/sweep/arms.ts";
import type { BaseRecipe } from "../../../training/sweep/base_recipe.ts";
import { readBase } from "../../../training/sweep/base_recipe.ts";
import { baseTime, trainingTokens } from "../../../training/sweep/budget.ts";
import { SweepPlan } from "../../../training/sweep/plan.ts";
import { parseSweep } from "../../../training/sweep/read_sweep.ts";

const base: BaseRecipe = readBase("tiny.yaml", []);
const armsIn = (yaml: string) => armsOf(parseSweep(yaml, "sweep.yaml"));
const planOf = (yaml: string, times = {}) => new SweepPlan(parseSweep(yaml, "sweep.yaml"), base, () => times);

test("a grid is every combination, named by what varies", () => {
  const arms = armsIn(`
parameters:
  optimizer: {parameters: {learning_rate: {values: [1.0e-3, 0.002]}}}
  model.weight_quantizer: {values: [absmean_ternary, {type: absmean_ternary_group, group_size: 64}]}
  optimizer.weight_decay: {value: 0}
`);
  expect(arms.map(({ name }) => name)).toEqual([
    "learning_rate=0.001,weight_quantizer=absmean_ternary",
    "learning_rate=0.001,weight_quantizer=absmean_ternary_group_64",
    "learning_rate=0.002,weight_quantizer=absmean_ternary",
    "learning_rate=0.002,weight_quantizer=absmean_ternary_group_64",
  ]);
  expect(arms[0].assignments.at(-1)).toEqual({ key: "optimizer.weight_decay", value: 0 });
});

test("a list keeps its names; axes multiply it; keys of a section stand below it or behind a dot", () => {
  const arms = armsIn(`
method: list
runs: [{name: a, model: {hidden_size: 128}}, {model.hidden_size: 512}, {}]
axes: {training.batch_size: [4, 8]}
`);
  expect(arms.map(({ name }) => name)).toEqual([
    "a,batch_size=4",
    "a,batch_size=8",
    "hidden_size=512,batch_size=4",
    "hidden_size=512,batch_size=8",
    "batch_size=4",
    "batch_size=8",
  ]);
  expect(arms[1].assignments).toEqual([
    { key: "model.hidden_size", value: 128 },
    { key: "training.batch_size", value: 8 },
  ]);
});

test("random draws lie in their distributions, and a further parameter changes none of them", () => {
  const parameters = `
  optimizer.learning_rate: {distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-2}
  training.batch_size: {min: 2, max: 5}
  optimizer.weight_decay: {distribution: q_uniform, min: 0, max: 1, q: 0.1}
  schedule.type: {values: [cosine, wsd], probabilities: [1, 0]}
  model.rope_theta: {distribution: normal, mu: 10000, sigma: 10}`;
  const arms = armsIn(`method: random\nrun_cap: 200\nparameters:${parameters}`);
  expect(new Set(arms.map(({ name }) => name)).size).toBe(200);
  const drawn = (key: string) => arms.map(({ assignments }) => assignments.find((each) => each.key === key)!.value);
  const rates = drawn("optimizer.learning_rate") as number[];
  expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-4);
  expect(Math.max(...rates)).toBeLessThanOrEqual(1e-2);
  // Half of the draws lie below the geometric mean.
  expect(Math.abs(rates.filter((rate) => rate < 1e-3).length / 200 - 0.5)).toBeLessThan(0.1);
  expect([...new Set(drawn("training.batch_size"))].sort()).toEqual([2, 3, 4, 5]);
  expect(new Set(drawn("optimizer.weight_decay"))).toEqual(
    new Set([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
  );
  expect(new Set(drawn("schedule.type"))).toEqual(new Set(["cosine"]));
  const mean = (drawn("model.rope_theta") as number[]).reduce((sum, value) => sum + value, 0) / 200;
  expect(Math.abs(mean - 10000)).toBeLessThan(3);
  const more = armsIn(`method: random\nrun_cap: 3\nparameters:${parameters}\n  training.seed: {min: 0, max: 9}`);
  expect(more[2].assignments.slice(0, 5)).toEqual(arms[2].assignments);
});

test("every arm has every seed, and the tokens of the recipe whatever its batch", () => {
  const plan = planOf("seeds: [3, 5]\naxes: {training.batch_size: [4, 8]}");
  const runs = plan.arms.flatMap((arm) => plan.seeds.map((seed) => plan.run(arm, seed, "final")));
  expect(runs.map(({ name }) => name)).toEqual([
    "batch_size=4-s3",
    "batch_size=4-s5",
    "batch_size=8-s3",
    "batch_size=8-s5",
  ]);
  expect(runs.map(({ config }) => config.training.seed)).toEqual([3, 5, 3, 5]);
  expect(runs.map(({ config }) => config.training.max_steps)).toEqual([20, 20, 10, 10]);
  expect(new Set(runs.map(({ config }) => trainingTokens(config)))).toEqual(new Set([2560]));
});

test("equal time: the stored seconds of an update say how many an arm makes", () => {
  const times = { [baseTime]: 0.5, "batch_size=4": 0.5, "batch_size=8": 0.8 };
  const plan = planOf("budget: {equal: time}\naxes: {training.batch_size: [4, 8]}", times);
  const steps = plan.arms.map((arm) => plan.run(arm, 0, "final").config.training.max_steps);
  expect(steps).toEqual([20, 12]);
});

test.each([
  ["metod: grid", /^sweep\.yaml:1: unknown key metod; the nearest valid key is method$/],
  ["method: gird", /^sweep\.yaml:1: method: expected grid, random, list; got "gird"$/],
  ["metric: {nme: x}", /^sweep\.yaml:1: unknown key metric\.nme; the nearest valid key is metric\.name$/],
  ["parameters: {optimizer.learning_rate: {vals: [1]}}", /^parameters\.optimizer\.learning_rate: unknown key vals/],
  ["parameters: {optimizer.learning_rate: {min: 0, max: 1}}", /a grid needs value or values/],
  ["method: random\nparameters: {optimizer.learning_rate: {min: 0, max: 1}}", /method: random needs run_cap/],
  ["method: random\nrun_cap: 1\nparameters: {a.b: {distribution: log_uniform, min: 1}}", /log_uniform needs max/],
  ["method: list", /method: list needs runs/],
  [
    "axes: {optimizer.lerning_rate: [1]}",
    /^arm base: unknown key optimizer\.lerning_rate; .* optimizer\.learning_rate$/,
  ],
  ["axes: {lr: [1]}", /lr is no key of a recipe: expected section\.key/],
  ["baseline: x", /^baseline: there is no arm x; the arms are base$/],
  ["axes: {training.seed: [1, 2]}", /^arm seed=1: training\.seed makes no arms: name the seeds as seeds: \[1, 2, 3\]/],
  ["seeds: [1, 1]", /one stands there twice/],
  ["axes: {training.batch_size: [3]}", /^arm base: the 2560 tokens of the recipe are 26\.67 of its updates of 96/],
  ["axes: {training.max_steps: [10, 20]}", /^arm max_steps=10: training\.max_steps makes 1280 tokens/],
  ["seeds: [1]\ntune: {values: [1, 2], seeds: [1]}", /tune: its seeds must not be among seeds/],
  ["early_terminate: {min_iter: 20}", /min_iter 20 is not below the 20 steps/],
])("refuses %j in a line", (yaml, message) => {
  expect(() => planOf(yaml)).toThrow(message);
});
