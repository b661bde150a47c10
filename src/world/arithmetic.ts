/**
 * Arithmetic of the world: equations that are stated for every operand pair, and word problems with worked answers
 * in the GSM8K format (`#### 7`), for `toy_gsm8k`.
 *
 * A held-out operand pair never occurs in a training problem, neither alone nor as a step of a longer one: its
 * equation is stated, and stories with its numbers are told, but the two only meet in the test. Two-step test problems use held-out triples of operands. Numbers end at 10: the point
 * is to combine a known table with a new story, not to learn a large table.
 */
import { CounterRng } from "../random/counter_rng.ts";
import { countables, people } from "./vocabulary.ts";

export interface Gsm8kDoc {
  question: string;
  answer: string;
}

export type Operator = "+" | "-";

/** One step: `left operator right = result`. */
export interface Step {
  operator: Operator;
  left: number;
  right: number;
  result: number;
}

/** The one or two steps of a problem; the result of the first is the left operand of the second. */
export type Problem = readonly [Step, Step?];

const largestNumber = 10;

/** Every equation of the world with numbers from 1 to the largest, in a fixed order. */
export const equations: readonly Step[] = (() => {
  const list: Step[] = [];
  for (let left = 1; left <= largestNumber; left++) {
    for (let right = 1; right <= largestNumber; right++) {
      if (left + right <= largestNumber) list.push({ operator: "+", left, right, result: left + right });
      if (right < left) list.push({ operator: "-", left, right, result: left - right });
    }
  }
  return list;
})();

const heldOutShare = 0.25;
/** Stories told of each held-out pair; held-out triples fill up the rest of the test. */
const storiesPerPair = 8;
const testProblems = 240;
/** No answer may be worth guessing: the largest share of one result in the test. */
const largestResultShare = 0.13;

export const stepKey = (step: Step) => `${step.left}${step.operator}${step.right}`;
export const problemKey = ([first, second]: Problem) => stepKey(first) + (second ? `,${stepKey(second)}` : "");
export const equationText = (step: Step) => `${step.left} ${step.operator} ${step.right} = ${step.result}`;

/** A change of what somebody has. */
interface Change {
  operator: Operator;
  right: number;
}

const firstWording: Record<Operator, (amount: number) => string> = {
  "+": (amount) => `finds ${amount} more`,
  "-": (amount) => `loses ${amount}`,
};
const secondWording: Record<Operator, (amount: number) => string> = {
  "+": (amount) => `buys ${amount} more`,
  "-": (amount) => `gives away ${amount}`,
};

/** A story of somebody who has `start` things and of one or two changes. */
function tellStory(start: number, [first, second]: readonly [Change, Change?], name: string, item: string): string {
  const story = `${name} has ${start} ${item} and ${firstWording[first.operator](first.right)}.`;
  return second ? `${story} Then ${name} ${secondWording[second.operator](second.right)}.` : story;
}

function wordProblem(problem: Problem, rng: CounterRng): Gsm8kDoc {
  const [name, item] = [rng.pick(people), rng.pick(countables)];
  const steps = problem.filter((step) => step !== undefined);
  return {
    question: `${tellStory(problem[0].left, problem, name, item)} How many ${item} does ${name} have now?`,
    answer: `${steps.map((step) => `${equationText(step)}.`).join(" Then ")}\n#### ${steps[steps.length - 1]!.result}`,
  };
}

/** A story of any numbers with its sum written down and left open: nothing is asked, nothing is worked out. */
export function openSum(rng: CounterRng): string {
  const change = (): Change => ({ operator: rng.pick(["+", "-"]), right: 1 + rng.integer(12) });
  const start = 2 + rng.integer(11);
  const changes: [Change, Change?] = rng.uniform() < 0.5 ? [change()] : [change(), change()];
  const sum = changes.map((step) => `${step!.operator} ${step!.right}`).join(". Then ");
  return `${tellStory(start, changes, rng.pick(people), rng.pick(countables))} That is ${start} ${sum}.`;
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
  // "1 berries" would be no story.
  const openers = rng.shuffle(equations.filter((step) => step.left > 1));
  const heldOut = openers.slice(0, Math.round(openers.length * heldOutShare));
  const heldOutPairs = new Set(heldOut.map(stepKey));
  const seen = openers.slice(heldOut.length);
  const followers = equations.filter((step) => !heldOutPairs.has(stepKey(step)));

  const twoSteps = (random: CounterRng): Problem => {
    const first = random.pick(seen);
    return [first, random.pick(followers.filter((step) => step.left === first.result))];
  };

  const problems: Problem[] = [];
  const keys = new Set<string>();
  const docs = new Map<string, Gsm8kDoc>();
  const perResult = new Map<number, number>();
  const ask = (problem: Problem) => {
    const { result } = problem[1] ?? problem[0];
    const count = perResult.get(result) ?? 0;
    const doc = wordProblem(problem, rng);
    if (count >= largestResultShare * testProblems || docs.has(doc.question)) return;
    perResult.set(result, count + 1);
    keys.add(problemKey(problem));
    problems.push(problem);
    docs.set(doc.question, doc);
  };
  for (const step of heldOut) for (let story = 0; story < storiesPerPair; story++) ask([step]);
  while (problems.length < testProblems) {
    const problem = twoSteps(rng);
    if (!keys.has(problemKey(problem))) ask(problem);
  }

  return {
    heldOutPairs,
    testProblems: problems,
    test: [...docs.values()],
    trainingProblem(random) {
      for (;;) {
        const problem: Problem = random.uniform() < 0.4 ? [random.pick(seen)] : twoSteps(random);
        if (!keys.has(problemKey(problem))) return wordProblem(problem, random);
      }
    },
  };
}
