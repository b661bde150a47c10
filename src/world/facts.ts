/**
 * The facts of the generated world and the split of its questions.
 *
 * Every thing has one value of each relation. Values are drawn by seed in equal shares, so no value is a better
 * guess than another. Each (thing, relation) pair belongs to one side: training pairs are also shown as questions,
 * held-out pairs are only ever stated.
 *
 * Held-out questions come in groups that share one set of choices, each choice being right exactly once (four
 * questions with four choices, or two with two). Whoever does not read the question scores exactly chance.
 */
import { CounterRng } from "../random/counter_rng.ts";
import { colours, kinds, materials, owners, places, things, useObjects, useVerbs } from "./vocabulary.ts";

export const choiceRelations = ["colour", "material", "owner", "kind"] as const;
export const goalRelations = ["place", "use"] as const;
export type ChoiceRelation = (typeof choiceRelations)[number];
export type GoalRelation = (typeof goalRelations)[number];
export type Relation = ChoiceRelation | GoalRelation;

export const relationValues: Record<Exclude<Relation, "use">, readonly string[]> = {
  colour: colours,
  material: materials,
  owner: owners,
  kind: kinds,
  place: places,
};

/** Held-out pairs: 7 groups of 4 for each choice relation, 26 groups of 2 for each goal relation. */
const choiceGroups = 7;
const goalGroups = 26;

export interface Facts {
  /** Value of a relation for a thing. */
  value(relation: Relation, thing: string): string;
  /** True if the pair is never shown in question form. */
  isHeldOut(relation: Relation, thing: string): boolean;
  /**
   * Groups of held-out things of a relation; the things of a group have different values. There are two rounds of
   * groups, so that each pair is asked in two wordings, against other distractors.
   */
  heldOutGroups(relation: Relation, round: 0 | 1): readonly (readonly string[])[];
  /** Things whose pair with this relation may be asked in training. */
  trainingThings(relation: Relation): readonly string[];
}

/** `count` values in equal shares, in random order. */
function equalShares(values: readonly string[], count: number, rng: CounterRng): string[] {
  return rng.shuffle(Array.from({ length: count }, (_, i) => values[i % values.length]!));
}

/** Groups of `size` things with pairwise different values, no thing twice. */
function drawGroups(
  valueByThing: ReadonlyMap<string, string>,
  size: number,
  groups: number,
  rng: CounterRng,
): string[][] {
  const byValue = new Map<string, string[]>();
  for (const thing of rng.shuffle([...valueByThing.keys()])) {
    const value = valueByThing.get(thing)!;
    byValue.set(value, [...(byValue.get(value) ?? []), thing]);
  }
  return Array.from({ length: groups }, () => {
    // The values with most things left keep the draw possible; ties are broken at random.
    const open = rng.shuffle([...byValue.values()]).sort((a, b) => b.length - a.length);
    return rng.shuffle(open.slice(0, size)).map((list) => list.pop()!);
  });
}

export function drawFacts(seed: number): Facts {
  const values = new Map<Relation, Map<string, string>>();
  const groups = new Map<Relation, string[][][]>();
  const heldOut = new Map<Relation, Set<string>>();
  for (const relation of [...choiceRelations, ...goalRelations] as Relation[]) {
    const rng = new CounterRng(seed, `world/${relation}`);
    const drawn =
      relation === "use"
        ? rng.shuffle(useVerbs.flatMap((verb) => useObjects.map((object) => `${verb} the ${object}`)))
        : equalShares(relationValues[relation], things.length, rng);
    const valueByThing = new Map(things.map((thing, i) => [thing, drawn[i]!]));
    const isGoal = relation === "place" || relation === "use";
    values.set(relation, valueByThing);
    const [size, count] = isGoal ? [2, goalGroups] : [4, choiceGroups];
    const first = drawGroups(valueByThing, size, count, rng);
    const heldOutValues = new Map(first.flat().map((thing) => [thing, valueByThing.get(thing)!]));
    groups.set(relation, [first, drawGroups(heldOutValues, size, count, rng)]);
    heldOut.set(relation, new Set(heldOutValues.keys()));
  }
  return {
    value: (relation, thing) => values.get(relation)!.get(thing)!,
    isHeldOut: (relation, thing) => heldOut.get(relation)!.has(thing),
    heldOutGroups: (relation, round) => groups.get(relation)![round]!,
    trainingThings: (relation) => things.filter((thing) => !heldOut.get(relation)!.has(thing)),
  };
}
