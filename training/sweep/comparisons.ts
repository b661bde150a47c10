/** Which arms a sweep compares with which: Holm's correction, the ranking and a table of the report are those of one comparison. */
import { type Arm, armName } from "./arm_names.ts";
import { SweepError } from "./sweep_error.ts";
import type { Comparison, SweepFile } from "./sweep_schema.ts";

/** Arm that the others are compared with where nothing else is said. */
export function baselineOf({ baseline }: Pick<SweepFile, "baseline">, arms: readonly Arm[]): string {
  return baseline === undefined ? arms[0].name : armName(baseline);
}

/**
 * Those of the file (`comparisons`), else one for each `question` of the arms, and one for the arms without.
 * @throws {SweepError} if arms of one question have several baselines
 */
export function comparisonsOf(sweep: SweepFile, arms: readonly Arm[]): Comparison[] {
  if (sweep.comparisons !== undefined) {
    return sweep.comparisons.map(({ name, baseline, arms: compared }) => ({
      name,
      baseline: armName(baseline),
      arms: compared.map(armName),
    }));
  }
  const questions = [...new Set(arms.map(({ question }) => question ?? sweep.metric.name))];
  return questions.flatMap((name) => {
    const asked = arms.filter(({ question }) => (question ?? sweep.metric.name) === name);
    const named = new Set(asked.flatMap(({ baseline }) => (baseline === undefined ? [] : [armName(baseline)])));
    if (named.size > 1) throw new SweepError(`question ${name}: it has two baselines, ${[...named].join(" and ")}`);
    const baseline = [...named][0] ?? baselineOf(sweep, arms);
    const compared = asked.filter((arm) => arm.name !== baseline).map((arm) => arm.name);
    return compared.length === 0 ? [] : [{ name, baseline, arms: compared }];
  });
}
