/** The parts of a regular expression. */
import { largest, smallest } from "../../arrays/large_arrays.ts";
import type { CaseRule, CharacterTest } from "./character_set.ts";

export type Node =
  | { kind: "character"; test: CharacterTest }
  | { kind: "sequence"; items: Node[] }
  | { kind: "alternatives"; options: Node[] }
  | { kind: "repeat"; item: Node; min: number; max: number; mode: "greedy" | "lazy" | "possessive" }
  | { kind: "group"; index: number; item: Node }
  | { kind: "atomic"; item: Node }
  /** Behind: the width of what stands before. */
  | { kind: "look"; behind: number | null; negative: boolean; item: Node }
  | { kind: "reference"; index: number; rule: CaseRule }
  | { kind: "condition"; index: number; yes: Node; no: Node }
  | { kind: "assertion"; holds: Assertion };

/** True at a place of the text. */
export type Assertion = (codes: ArrayLike<number>, at: number) => boolean;

/** Least and most characters of what a node matches. @param groups widths of the groups before */
export function widthOf(node: Node, groups: ReadonlyMap<number, readonly [number, number]>): [number, number] {
  const of = (part: Node) => widthOf(part, groups);
  switch (node.kind) {
    case "character":
      return [1, 1];
    case "sequence":
      return node.items.map(of).reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
    case "alternatives":
      return either(node.options.map(of));
    case "repeat": {
      const [least, most] = of(node.item);
      return [least * node.min, most === 0 ? 0 : most * node.max];
    }
    case "group":
    case "atomic":
      return of(node.item);
    case "reference": {
      const [least, most] = groups.get(node.index) ?? [0, Number.POSITIVE_INFINITY];
      return [least, most];
    }
    case "condition":
      return either([of(node.yes), of(node.no)]);
    default:
      return [0, 0];
  }
}

function either(widths: readonly [number, number][]): [number, number] {
  return [smallest(widths.map(([least]) => least)), largest(widths.map(([, most]) => most))];
}
