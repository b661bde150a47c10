/** The runs that a sweep wants: arms, seeds and budgets resolved to configurations. */
import type { RunConfig } from "../config/run_config.ts";
import { type Arm, armName } from "./arm_names.ts";
import { armsOf } from "./arms.ts";
import { armConfig, type BaseRecipe } from "./base_recipe.ts";
import { type StepTimes, withBudget } from "./budget.ts";
import { baselineOf, comparisonsOf } from "./comparisons.ts";
import { rungSteps } from "./rungs.ts";
import { SweepError } from "./sweep_error.ts";
import type { SweepFile } from "./sweep_schema.ts";

/** An arm with a seed. */
export interface PlannedRun {
  name: string;
  arm: string;
  seed: number;
  stage: "tune" | "final";
  /** Value of the tuned parameter, if there is one. */
  tuned?: number;
  config: RunConfig;
}

export class SweepPlan {
  readonly sweep: SweepFile;
  readonly base: BaseRecipe;
  readonly arms: readonly Arm[];
  readonly seeds: readonly number[];
  /** Of the recipe, without an arm. */
  readonly baseConfig: RunConfig;
  private readonly times: () => StepTimes;
  private readonly made = new Map<string, PlannedRun>();

  /**
   * @param times read when a budget of time is asked for
   * @throws {SweepError | RunConfigError} for whatever an arm cannot be
   */
  constructor(sweep: SweepFile, base: BaseRecipe, times: () => StepTimes) {
    this.sweep = sweep;
    this.base = base;
    this.arms = armsOf(sweep);
    this.baseConfig = armConfig(base);
    this.seeds = sweep.seeds ?? [this.baseConfig.training.seed];
    this.times = times;
    this.check();
  }

  get baseline(): string {
    return baselineOf(this.sweep, this.arms);
  }

  /** Runs that the sweep begins with, as far as they are known before it. */
  get runCount(): number {
    const { tune } = this.sweep;
    const tuning = (tune?.values?.length ?? 0) * (tune?.seeds.length ?? 0);
    return this.arms.length * (tuning + this.seeds.length);
  }

  /** The run of an arm. @param tuned value of the tuned parameter */
  run(arm: Arm, seed: number, stage: PlannedRun["stage"], tuned?: number): PlannedRun {
    const { tune } = this.sweep;
    const isTuned = tune !== undefined && tuned !== undefined;
    const assignments = isTuned ? [...arm.assignments, { key: tune.parameter, value: tuned }] : arm.assignments;
    const told = isTuned && stage === "tune" ? `,${tune.parameter.split(".").at(-1)}=${tuned}` : "";
    const name = `${arm.name}${told}-s${seed}`;
    const key = JSON.stringify([name, tuned]);
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const config = this.budgeted({ ...arm, assignments }, seed);
    const run = { name, arm: arm.name, seed, stage, tuned: isTuned ? tuned : undefined, config };
    this.made.set(key, run);
    return run;
  }

  /** The configuration of an arm as the recipe and the arm say, before the budget. */
  config(arm: Arm): RunConfig {
    return armConfig(this.base, arm, this.seeds[0]);
  }

  /** One for each arm, and the recipe's: all data that the runs need are theirs. */
  configs(): RunConfig[] {
    return [this.baseConfig, ...this.arms.map((arm) => this.config(arm))];
  }

  private budgeted(arm: Arm, seed: number): RunConfig {
    const setsSteps = arm.assignments.some(({ key }) => key === "training.max_steps");
    const config = armConfig(this.base, arm, seed);
    return withBudget(config, this.baseConfig, this.sweep, { name: arm.name, setsSteps }, this.times());
  }

  private check(): void {
    const { sweep, arms } = this;
    const names = arms.map(({ name }) => name);
    const isArm = (name: string, key: string) => {
      if (names.includes(name)) return;
      throw new SweepError(`${key}: there is no arm ${name}; the arms are ${names.join(", ")}`);
    };
    isArm(this.baseline, "baseline");
    if (sweep.float_twin !== undefined) isArm(armName(sweep.float_twin), "float_twin");
    for (const { name, baseline, arms: compared } of comparisonsOf(sweep, arms)) {
      for (const each of [baseline, ...compared]) isArm(each, `comparison ${name}`);
    }
    if (new Set(this.seeds).size < this.seeds.length) throw new SweepError("seeds: one stands there twice");
    const { tune } = sweep;
    if (tune !== undefined && (tune.values === undefined) === (tune.from === undefined)) {
      throw new SweepError("tune: needs either values or from, the folder of an earlier sweep");
    }
    if (tune?.seeds.some((seed) => this.seeds.includes(seed)) && tune.from === undefined) {
      throw new SweepError("tune: its seeds must not be among seeds: what they choose would be flattered there");
    }
    // Whatever is wrong in an arm is said before the first run.
    for (const arm of arms) {
      const config = this.config(arm);
      if (sweep.budget.equal === "tokens") this.budgeted(arm, this.seeds[0]);
      if (sweep.early_terminate !== undefined) rungSteps(config, this.baseConfig, sweep.early_terminate);
    }
  }
}
