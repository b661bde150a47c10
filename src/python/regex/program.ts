/** A regular expression as instructions, one after the other. */
import type { CaseRule, CharacterTest } from "./character_set.ts";
import type { Assertion, Node } from "./nodes.ts";

export type Instruction =
  | { op: "character"; test: CharacterTest }
  | { op: "assertion"; holds: Assertion }
  /** Goes to `first`; `second` is tried if that fails. */
  | { op: "split"; first: number; second: number }
  | { op: "jump"; to: number }
  | { op: "set"; slot: number }
  /** The group `index` is what stands between its `opened` place and this. */
  | { op: "close"; index: number; opened: number }
  | { op: "reference"; index: number; rule: CaseRule }
  | { op: "condition"; index: number; no: number }
  /** As many characters as there are, or as few, between the two numbers. */
  | { op: "characters"; test: CharacterTest; min: number; max: number; lazy: boolean }
  /** Its part follows and ends with `end`; what comes after it stands at `next`. */
  | { op: "part"; kind: "atomic" | "ahead" | "notAhead"; behind: number; next: number }
  | { op: "loopBegin"; count: number; last: number }
  | { op: "loop"; count: number; last: number; min: number; max: number; lazy: boolean; body: number; exit: number }
  | { op: "loopBody"; count: number; last: number; body: number }
  | { op: "end" };

export interface Program {
  code: readonly Instruction[];
  /** Numbers that a run keeps: begins of the groups, their ends, and others. */
  slots: number;
}

/** @param groups how many there are; slot g is where group g begins, slot groups + 1 + g where it ends */
export function compileProgram(node: Node, groups: number): Program {
  const code: Instruction[] = [];
  let slots = 2 * (groups + 1);
  const emit = (instruction: Instruction) => code.push(instruction) - 1;

  const emitRepeat = ({ item, min, max, mode }: Node & { kind: "repeat" }) => {
    if (mode === "possessive") return emitPart("atomic", 0, { kind: "repeat", item, min, max, mode: "greedy" });
    const lazy = mode === "lazy";
    if (item.kind === "character") return void emit({ op: "characters", test: item.test, min, max, lazy });
    const [count, last] = [slots++, slots++];
    emit({ op: "loopBegin", count, last });
    const loop = emit({ op: "end" });
    const body = emit({ op: "loopBody", count, last, body: loop + 2 }) + 1;
    emitNode(item);
    emit({ op: "jump", to: loop });
    code[loop] = { op: "loop", count, last, min, max, lazy, body, exit: code.length };
  };
  const emitPart = (kind: "atomic" | "ahead" | "notAhead", behind: number, item: Node) => {
    const part = emit({ op: "end" });
    emitNode(item);
    emit({ op: "end" });
    code[part] = { op: "part", kind, behind, next: code.length };
  };
  const emitAlternatives = (options: readonly Node[]) => {
    const ends: number[] = [];
    for (const option of options.slice(0, -1)) {
      const split = emit({ op: "end" });
      emitNode(option);
      ends.push(emit({ op: "end" }));
      code[split] = { op: "split", first: split + 1, second: code.length };
    }
    emitNode(options[options.length - 1]);
    for (const end of ends) code[end] = { op: "jump", to: code.length };
  };
  const emitNode = (part: Node): void => {
    switch (part.kind) {
      case "character":
        emit({ op: "character", test: part.test });
        break;
      case "assertion":
        emit({ op: "assertion", holds: part.holds });
        break;
      case "reference":
        emit({ op: "reference", index: part.index, rule: part.rule });
        break;
      case "sequence":
        part.items.forEach(emitNode);
        break;
      case "alternatives":
        emitAlternatives(part.options);
        break;
      case "repeat":
        emitRepeat(part);
        break;
      case "group": {
        const opened = slots++;
        emit({ op: "set", slot: opened });
        emitNode(part.item);
        emit({ op: "close", index: part.index, opened });
        break;
      }
      case "atomic":
        emitPart("atomic", 0, part.item);
        break;
      case "look":
        emitPart(part.negative ? "notAhead" : "ahead", part.behind ?? 0, part.item);
        break;
      case "condition": {
        const test = emit({ op: "end" });
        emitNode(part.yes);
        const end = emit({ op: "end" });
        code[test] = { op: "condition", index: part.index, no: code.length };
        emitNode(part.no);
        code[end] = { op: "jump", to: code.length };
      }
    }
  };
  emitNode(node);
  emit({ op: "end" });
  return { code, slots };
}
