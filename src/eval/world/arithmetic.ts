/**
 * Arithmetic of the world: equations that are stated for every operand pair, and word problems with worked answers
 * in the GSM8K format (`#### 7`), for `toy_gsm8k`.
 *
 * A held-out operand pair never occurs in a training problem, neither alone nor as a step of a longer one; its
 * equation is only ever stated. Two-step test problems use held-out triples of operands.
 */
import { CounterRng } from "../../random/counter_rng.ts";
import { countables, people } from "./vocabulary.ts";

export interface Gsm8kDoc {
  question: string;
  answer: string;
}

export type Operator = "+" | "-" | "x";

/** One step: `left operator right = result`. */
export interface Step {
  operator: Operator;
  left: number;
  right: number;
  result: number;
}

/** Operands of a problem: its steps, the result of one being the left operand of the next. */
export type Problem = readonly Step[];

/** Every equation of the world, in a fixed order: sums up to 12 + 8, differences from 20, products up to 5 x 4. */
export const equations: readonly Step[] = (() => {
  const list: Step[] = [];
  for (let left = 1; left <= 20; left++) {
    for (let right = 1; right <= 8; right++) {
      if (left <= 12) list.push({ operator: "+", left, right, result: left + right });
      if (right < left) list.push({ operator: "-", left, right, result: left - right });
    }
  }
  for (let left = 2; left <= 5; left++) {
    for (let right = 2; right <= 4; right++) list.push({ operator: "x", left, right, result: left * right });
  }
  return list;
})();

/** Steps that a word problem may start with: small enough for a second step, and no "1 berries". */
const isOpening = (step: Step) => step.left <= 12 && step.left > 1 && step.right > 1 && step.result > 1;
const heldOutShare = 0.2;
const testProblems = 240;

export const stepKey = (step: Step) => `${step.left}${step.operator}${step.right}`;
const problemKey = (problem: Problem) => problem.map(stepKey).join(",");
export const equationText = (step: Step) => `${step.left} ${step.operator} ${step.right} = ${step.result}`;

/** Wordings of a step for a person with `left` (or `left` groups of) things. */
const openings: Record<Operator, (name: string, item: string, step: Step) => string> = {
  "+": (name, item, s) => `${name} has ${s.left} ${item}. ${name} finds ${s.right} more ${item}.`,
  "-": (name, item, s) => `${name} has ${s.left} ${item}. ${name} gives away ${s.right} ${item}.`,
  x: (name, item, s) => `${name} has ${s.left} bags with ${s.right} ${item} in each bag.`,
};
const continuations: Record<"+" | "-", (name: string, item: string, step: Step) => string> = {
  "+": (name, item, s) => `Then ${name} buys ${s.right} more ${item}.`,
  "-": (name, item, s) => `Then ${name} loses ${s.right} ${item}.`,
};

function wordProblem(problem: Problem, rng: CounterRng): Gsm8kDoc {
  const name = rng.pick(people);
  const item = rng.pick(countables);
  const story = problem.map((step, i) =>
    i === 0 ? openings[step.operator](name, item, step) : continuations[step.operator as "+" | "-"](name, item, step),
  );
  const working = problem.map((step) => `${equationText(step)}.`);
  const result = problem[problem.length - 1]!.result;
  return {
    question: `${story.join(" ")} How many ${item} does ${name} have now?`,
    answer: `${working.join(" ")} ${name} has ${result} ${item}.\n#### ${result}`,
  };
}

export interface ArithmeticSplit {
  /** Keys (`stepKey`) that no training problem contains. */
  heldOutPairs: ReadonlySet<string>;
  test: Gsm8kDoc[];
  /** Operand tuples of the test problems, in their order. */
  testProblems: readonly Problem[];
  /** A problem whose operands may be asked in training. */
  trainingProblem(rng: CounterRng): Gsm8kDoc;
}

export function splitArithmetic(seed: number): ArithmeticSplit {
  const rng = new CounterRng(seed, "world/arithmetic");
  const first = equations.filter(isOpening);
  const byKey = new Map(equations.map((step) => [stepKey(step), step]));
  const heldOutList = rng.shuffle([...first]).slice(0, Math.round(first.length * heldOutShare));
  const heldOutPairs = new Set(heldOutList.map(stepKey));
  const seenFirst = first.filter((step) => !heldOutPairs.has(stepKey(step)));
  const asked = new Set<string>();

  /** Two seen steps in a row, or null where the table ends. */
  const twoSteps = (random: CounterRng): Problem | null => {
    const start = random.pick(seenFirst);
    const second = byKey.get(`${start.result}${random.pick(["+", "-"])}${2 + random.integer(7)}`);
    return second && second.result > 1 && !heldOutPairs.has(stepKey(second)) ? [start, second] : null;
  };

  const testProblemsList: Problem[] = [];
  const perResult = new Map<number, number>();
  const propose = (problem: Problem) => {
    const result = problem[problem.length - 1]!.result;
    // No answer may be worth guessing: at most 8% of the test each.
    if (asked.has(problemKey(problem)) || (perResult.get(result) ?? 0) >= 0.08 * testProblems) return;
    asked.add(problemKey(problem));
    perResult.set(result, (perResult.get(result) ?? 0) + 1);
    testProblemsList.push(problem);
  };
  for (const step of heldOutList) propose([step]);
  while (testProblemsList.length < testProblems) {
    const problem = twoSteps(rng);
    if (problem) propose(problem);
  }

  return {
    heldOutPairs,
    testProblems: testProblemsList,
    test: testProblemsList.map((problem) => wordProblem(problem, rng)),
    trainingProblem(random) {
      for (;;) {
        const problem = random.uniform() < 0.5 ? [random.pick(seenFirst)] : twoSteps(random);
        if (problem && !asked.has(problemKey(problem))) return wordProblem(problem, random);
      }
    },
  };
}
