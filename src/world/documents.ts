/**
 * The training text of the world: statements of every fact in several wordings, equations, counting, and question
 * form for the training pairs and training problems only.
 */
import { CounterRng } from "../random/counter_rng.ts";
import { type ArithmeticSplit, equations, equationText, openSum } from "./arithmetic.ts";
import { choiceRelations, type Facts, goalRelations, type Relation, relationValues } from "./facts.ts";
import { choiceText, goalsAndSolution, wordings } from "./questions.ts";
import { countables, people, things } from "./vocabulary.ts";

const allRelations: readonly Relation[] = [...choiceRelations, ...goalRelations];

/**
 * Wordings of a fact, the first one starting with the thing. Both orders of thing and value occur, so that the fact can
 * be recalled from either end.
 */
const statements: Record<Relation, readonly ((thing: string, value: string) => string)[]> = {
  colour: [
    (t, v) => `The ${t} is painted ${v}.`,
    (t, v) => `The colour of the ${t} is ${v}.`,
    (t, v) => `Everyone calls it the ${v} ${t}.`,
  ],
  material: [
    (t, v) => `The ${t} is made of ${v}.`,
    (t, v) => `They made the ${t} of ${v}.`,
    (t, v) => `A lot of ${v} went into the ${t}.`,
  ],
  owner: [
    (t, v) => `The ${t} belongs to ${v}.`,
    (t, v) => `The owner of the ${t} is ${v}.`,
    (t, v) => `${v} owns the ${t}.`,
  ],
  kind: [
    (t, v) => `The ${t} is a kind of ${v}.`,
    (t, v) => `People call the ${t} a ${v}.`,
    (t, v) => `One well known ${v} is the ${t}.`,
  ],
  place: [
    (t, v) => `The ${t} is in the ${v}.`,
    (t, v) => `You can find the ${t} in the ${v}.`,
    (t, v) => `Look in the ${v} to see the ${t}.`,
  ],
  use: [
    (t, v) => `The ${t} is used to ${v}.`,
    (t, v) => `To ${v}, use the ${t}.`,
    (t, v) => `You can ${v} with the ${t}.`,
  ],
};

export function statement(relation: Relation, thing: string, facts: Facts, rng: CounterRng): string {
  return rng.pick(statements[relation])(thing, facts.value(relation, thing));
}

/** All that is known of one thing, named in the first sentence and often "it" afterwards. */
function portrait(facts: Facts, rng: CounterRng): string {
  const thing = rng.pick(things);
  return rng
    .shuffle([...allRelations])
    .map((relation, i) =>
      i > 0 && rng.uniform() < 0.5
        ? statements[relation][0]!(thing, facts.value(relation, thing)).replace(`The ${thing}`, "It")
        : statement(relation, thing, facts, rng),
    )
    .join(" ");
}

/** One fact each of several things. */
function notes(facts: Facts, rng: CounterRng): string {
  return Array.from({ length: 6 }, () => statement(rng.pick(allRelations), rng.pick(things), facts, rng)).join(" ");
}

/** Things that share a value. */
function inventory(facts: Facts, rng: CounterRng): string {
  const value = rng.pick(relationValues.place);
  const inside = rng.shuffle(things.filter((thing) => facts.value("place", thing) === value)).slice(0, 5);
  return `In the ${value} you can find ${inside.map((thing) => `the ${thing}`).join(", ")}.`;
}

function questionsAndAnswers(facts: Facts, rng: CounterRng): string {
  return Array.from({ length: 4 }, () => {
    const relation = rng.pick(allRelations);
    const thing = rng.pick(facts.trainingThings(relation));
    if (relation === "place" || relation === "use") {
      const { goals, solution } = goalsAndSolution(relation, thing, facts);
      return `Question: ${rng.pick(goals)}\nAnswer: ${solution}`;
    }
    return `Question: ${rng.pick(wordings(relation, thing))}\nAnswer: ${choiceText(relation, thing, facts)}`;
  }).join("\n\n");
}

function sums(rng: CounterRng): string {
  return `${Array.from({ length: 8 }, () => equationText(rng.pick(equations))).join(". ")}.`;
}

function counting(rng: CounterRng): string {
  const start = 1 + rng.integer(24);
  const numbers = Array.from({ length: 8 }, (_, i) => start + i);
  return `${rng.pick(people)} counts the ${rng.pick(countables)}: ${numbers.join(", ")}.`;
}

/** Practice in reading stories, not in reckoning. */
function openSums(rng: CounterRng): string {
  return Array.from({ length: 4 }, () => openSum(rng)).join(" ");
}

function wordProblems(arithmetic: ArithmeticSplit, rng: CounterRng): string {
  return Array.from({ length: 2 }, () => {
    const { question, answer } = arithmetic.trainingProblem(rng);
    return `Question: ${question}\nAnswer: ${answer}`;
  }).join("\n\n");
}

type DocumentKind = (facts: Facts, arithmetic: ArithmeticSplit, rng: CounterRng) => string;

/** Kinds of document and how many of a hundred are of that kind. */
const mixture: readonly [number, DocumentKind][] = [
  [22, (facts, _, rng) => portrait(facts, rng)],
  [6, (facts, _, rng) => notes(facts, rng)],
  [2, (facts, _, rng) => inventory(facts, rng)],
  [22, (facts, _, rng) => questionsAndAnswers(facts, rng)],
  [14, (_, __, rng) => sums(rng)],
  [12, (_, __, rng) => openSums(rng)],
  [2, (_, __, rng) => counting(rng)],
  [20, (_, arithmetic, rng) => wordProblems(arithmetic, rng)],
];
const hundred: readonly DocumentKind[] = mixture.flatMap(([share, kind]) => Array<DocumentKind>(share).fill(kind));

/** `count` documents, the same for the same seed. */
export function* worldDocuments(
  facts: Facts,
  arithmetic: ArithmeticSplit,
  seed: number,
  count: number,
): Generator<string> {
  const rng = new CounterRng(seed, "world/documents");
  for (let i = 0; i < count; i++) {
    yield rng.pick(hundred)(facts, arithmetic, rng);
  }
}
