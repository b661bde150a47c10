/**
 * Questions about the facts of the world: multiple choice in the ARC format (`toy_arc`) and two solutions to a goal
 * in the PIQA format (`toy_piqa`), with the field names of those data sets.
 */
import { CounterRng } from "../random/counter_rng.ts";
import { type ChoiceRelation, choiceRelations, type Facts, type GoalRelation, goalRelations } from "./facts.ts";

export interface ArcDoc {
  id: string;
  question: string;
  choices: { text: string[]; label: string[] };
  answerKey: string;
}

export interface PiqaDoc {
  id: string;
  goal: string;
  sol1: string;
  sol2: string;
  /** 0: sol1 is right; 1: sol2. */
  label: number;
}

const choiceQuestions: Record<ChoiceRelation, readonly ((thing: string) => string)[]> = {
  colour: [(thing) => `What colour is the ${thing}?`, (thing) => `Which colour does the ${thing} have?`],
  material: [(thing) => `What is the ${thing} made of?`, (thing) => `Which material is the ${thing} made of?`],
  owner: [(thing) => `Who owns the ${thing}?`, (thing) => `To whom does the ${thing} belong?`],
  kind: [(thing) => `What kind of thing is the ${thing}?`, (thing) => `What sort of object is the ${thing}?`],
};

/** The wordings of a question about a training or held-out pair. */
export function wordings(relation: ChoiceRelation, thing: string): string[] {
  return choiceQuestions[relation].map((wording) => wording(thing));
}

const choiceAnswers: Record<ChoiceRelation, (value: string) => string> = {
  colour: (value) => `It is painted ${value}.`,
  material: (value) => `It is made of ${value}.`,
  owner: (value) => `It belongs to ${value}.`,
  kind: (value) => `It is a kind of ${value}.`,
};

/** The right choice: it names the value, not the thing, so that it says nothing without its question. */
export function choiceText(relation: ChoiceRelation, thing: string, facts: Facts): string {
  return choiceAnswers[relation](facts.value(relation, thing));
}

const goalQuestions: Record<GoalRelation, readonly ((named: string) => string)[]> = {
  place: [(thing) => `How can you find the ${thing}?`, (thing) => `What do you do to see the ${thing}?`],
  use: [(use) => `How can you ${use}?`, (use) => `What do you do to ${use}?`],
};

/** The wordings of a goal, and the solution: it names only the value (place) or only the thing (use). */
export function goalsAndSolution(
  relation: GoalRelation,
  thing: string,
  facts: Facts,
): { goals: string[]; solution: string } {
  const value = facts.value(relation, thing);
  return {
    goals: goalQuestions[relation].map((wording) => wording(relation === "place" ? thing : value)),
    solution: relation === "place" ? `Look in the ${value}.` : `Use the ${thing}.`,
  };
}

const labels = ["A", "B", "C", "D"];

/** Of the two wordings. */
type Round = 0 | 1;
const rounds: readonly Round[] = [0, 1];

/** Four questions, in wording `round`, that share four choices; question i has its answer at place i. */
function arcGroup(
  relation: ChoiceRelation,
  group: readonly string[],
  round: Round,
  id: string,
  facts: Facts,
): ArcDoc[] {
  const text = group.map((thing) => choiceText(relation, thing, facts));
  return group.map((thing, i) => ({
    id: `${id}-${i}`,
    question: wordings(relation, thing)[round]!,
    choices: { text, label: labels },
    answerKey: labels[i]!,
  }));
}

/** Two goals, in wording `round`, that share two solutions. */
function piqaGroup(
  relation: GoalRelation,
  group: readonly string[],
  round: Round,
  id: string,
  facts: Facts,
): PiqaDoc[] {
  const pairs = group.map((thing) => goalsAndSolution(relation, thing, facts));
  return pairs.map((pair, i) => ({
    id: `${id}-${i}`,
    goal: pair.goals[round]!,
    sol1: pairs[0]!.solution,
    sol2: pairs[1]!.solution,
    label: i,
  }));
}

/** Training pairs in groups of `size` with different values; what does not fill a group is left out. */
function trainingGroups(
  relation: ChoiceRelation | GoalRelation,
  size: number,
  facts: Facts,
  rng: CounterRng,
): string[][] {
  const groups: string[][] = [];
  for (const thing of rng.shuffle([...facts.trainingThings(relation)])) {
    const value = facts.value(relation, thing);
    const open = groups.find((g) => g.length < size && g.every((other) => facts.value(relation, other) !== value));
    if (open) open.push(thing);
    else groups.push([thing]);
  }
  return groups.filter((group) => group.length === size);
}

interface Split<Doc> {
  train: Doc[];
  test: Doc[];
}

/** Questions about training groups of `size` and about the held-out groups, both in both wordings. */
function splitDocs<R extends ChoiceRelation | GoalRelation, Doc>(
  relations: readonly R[],
  size: number,
  docsOf: (relation: R, group: readonly string[], round: Round, id: string) => Doc[],
  facts: Facts,
  rng: CounterRng,
): Split<Doc> {
  const docs = (split: string, groupsOf: (relation: R, round: Round) => readonly (readonly string[])[]) =>
    relations.flatMap((relation) =>
      rounds.flatMap((round) =>
        groupsOf(relation, round).flatMap((group, g) =>
          docsOf(relation, group, round, `${split}-${relation}-${round}-${g}`),
        ),
      ),
    );
  return {
    train: docs("train", (relation) => trainingGroups(relation, size, facts, rng)),
    test: docs("test", (relation, round) => facts.heldOutGroups(relation, round)),
  };
}

export function arcDocs(facts: Facts, seed: number): Split<ArcDoc> {
  const docsOf = (relation: ChoiceRelation, group: readonly string[], round: Round, id: string) =>
    arcGroup(relation, group, round, id, facts);
  return splitDocs(choiceRelations, 4, docsOf, facts, new CounterRng(seed, "world/arc"));
}

export function piqaDocs(facts: Facts, seed: number): Split<PiqaDoc> {
  const docsOf = (relation: GoalRelation, group: readonly string[], round: Round, id: string) =>
    piqaGroup(relation, group, round, id, facts);
  return splitDocs(goalRelations, 2, docsOf, facts, new CounterRng(seed, "world/piqa"));
}
