/**
 * The arms of a sweep: what each changes in the recipe. A run is an arm with a seed.
 *
 *     grid     every combination of the listed values
 *     random   `run_cap` draws of the distributions
 *     list     `runs`, each with every combination of the listed `parameters`, if there are any
 *
 * Axes of the command line (`key=a,b,c`) multiply all of them.
 */
import { CounterRng } from "../../src/random/counter_rng.ts";
import { type Arm, type Assignment, type NamelessArm, nameArms } from "./arm_names.ts";
import { drawValue, listedValues } from "./distributions.ts";
import { SweepError } from "./sweep_error.ts";
import { type Parameter, parameterSchema, type SweepFile } from "./sweep_schema.ts";

/** Values of a key that are all combined with those of other axes. */
interface Axis {
  key: string;
  values: readonly unknown[];
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Parameters by dotted path. @throws {SweepError} */
function flatParameters(parameters: Record<string, unknown>, prefix = ""): [key: string, Parameter][] {
  return Object.entries(parameters).flatMap(([name, value]): [string, Parameter][] => {
    const key = `${prefix}${name}`;
    if (isSection(value) && isSection(value.parameters)) return flatParameters(value.parameters, `${key}.`);
    const parsed = parameterSchema.safeParse(value);
    const keys = Object.keys(parameterSchema.shape).join(", ");
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const what = issue.code === "unrecognized_keys" ? `unknown key ${issue.keys[0]}` : issue.message;
      throw new SweepError(`parameters.${key}: ${what}; a parameter has ${keys}, or parameters below it`);
    }
    return [[key, parsed.data]];
  });
}

/** Every combination, the last axis fastest. */
function combinations(axes: readonly Axis[]): Assignment[][] {
  return axes.reduce<Assignment[][]>(
    (before, { key, values }) => before.flatMap((each) => values.map((value) => [...each, { key, value }])),
    [[]],
  );
}

function gridAxes(parameters: readonly [string, Parameter][]): Axis[] {
  return parameters.map(([key, parameter]) => {
    const values = listedValues(parameter);
    if (values !== undefined) return { key, values };
    throw new SweepError(`parameters.${key}: a grid needs value or values; method: random draws from a range`);
  });
}

/**
 * `{name, question, baseline, model: {...}, optimizer.learning_rate: x}`: a section stands for its keys, deeper values are
 * taken whole.
 */
function listedRun(run: Record<string, unknown>): NamelessArm {
  const { name, question, baseline, ...keys } = run;
  const text = (value: unknown) => (value === undefined ? undefined : String(value));
  const assignments = Object.entries(keys).flatMap(([key, value]): Assignment[] =>
    isSection(value) && !key.includes(".")
      ? Object.entries(value).map(([inner, each]) => ({ key: `${key}.${inner}`, value: each }))
      : [{ key, value }],
  );
  return { name: text(name), question: text(question), baseline: text(baseline), assignments };
}

/** @throws {SweepError} if the method lacks what it needs */
export function armsOf(sweep: SweepFile): Arm[] {
  const products = combinations(Object.entries(sweep.axes).map(([key, values]) => ({ key, values })));
  const parameters = flatParameters(sweep.parameters);
  const own: NamelessArm[] = [];
  if (sweep.method === "random") {
    if (sweep.run_cap === undefined) throw new SweepError("method: random needs run_cap, the number of arms to draw");
    if (parameters.length === 0) throw new SweepError("method: random needs parameters to draw");
    for (let i = 0; i < sweep.run_cap; i++) {
      // A stream for each parameter and draw: another parameter, or more draws, change no other value.
      const drawn = ([key, parameter]: [string, Parameter]) => ({
        key,
        value: drawValue(key, parameter, new CounterRng(sweep.draw_seed, `sweep ${key} ${i}`)),
      });
      own.push({ assignments: parameters.map(drawn) });
    }
  } else {
    if (sweep.method === "list" && sweep.runs === undefined) {
      throw new SweepError("method: list needs runs, a list of what each changes in the recipe");
    }
    if (sweep.method === "grid" && sweep.runs !== undefined) {
      throw new SweepError("runs is a list of arms: it needs method: list");
    }
    const grid = combinations(gridAxes(parameters));
    for (const arm of (sweep.runs ?? [{}]).map(listedRun)) {
      for (const combination of grid) own.push({ ...arm, assignments: [...arm.assignments, ...combination] });
    }
  }
  const crossed = own.flatMap((arm) =>
    products.map((product) => ({ ...arm, assignments: [...arm.assignments, ...product] })),
  );
  return nameArms(crossed);
}
