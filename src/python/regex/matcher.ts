/**
 * Runs a regular expression on a text by backtracking, as CPython's `_sre` does: what is tried first, what a group holds
 * after a repeat, and when an empty repeat ends are the same. What is still to be tried lies on a stack of its own, so
 * that repeats may be as long as the text.
 */
import { folded } from "./character_set.ts";
import type { Node } from "./nodes.ts";
import { compileProgram, type Instruction, type Program } from "./program.ts";

/** What is left to try: an instruction at a place. */
interface Choice {
  pc: number;
  at: number;
  /** Of `characters`: the last place that may be tried; else -1. */
  limit: number;
  /** Changes before it was put here. */
  changes: number;
}

export class Matcher {
  private readonly program: Program;
  private readonly groups: number;
  private readonly slots: Int32Array;
  /** Pairs of a slot and what it held, to be put back. */
  private readonly changes: number[] = [];
  private readonly choices: Choice[] = [];
  private codes: ArrayLike<number> = [];

  /** @param groups how many there are */
  constructor(node: Node, groups: number) {
    this.program = compileProgram(node, groups);
    this.groups = groups;
    this.slots = new Int32Array(this.program.slots);
  }

  /**
   * The end of the match that begins at `at`, or -1.
   * @param forbiddenEnd a match must not end there; -1: it may end anywhere
   */
  matchAt(codes: ArrayLike<number>, at: number, forbiddenEnd: number): number {
    this.codes = codes;
    this.slots.fill(-1);
    this.changes.length = 0;
    this.choices.length = 0;
    return this.run(0, at, forbiddenEnd);
  }

  /** Where a group of the last match begins and ends; null if it did not take part. */
  group(index: number): readonly [number, number] | null {
    const end = this.slots[this.groups + 1 + index];
    return end < 0 ? null : [this.slots[index], end];
  }

  private set(slot: number, value: number): void {
    this.changes.push(slot, this.slots[slot]);
    this.slots[slot] = value;
  }

  private undo(length: number): void {
    while (this.changes.length > length) {
      const value = this.changes.pop()!;
      this.slots[this.changes.pop()!] = value;
    }
  }

  /** Runs from an instruction to the `end` of its part. Gives up what it has not tried, but keeps its changes. */
  private run(from: number, begin: number, forbiddenEnd = -1): number {
    const { choices } = this;
    const { code } = this.program;
    const base = choices.length;
    const start = this.changes.length;
    let [pc, at] = [from, begin];
    for (;;) {
      if (pc < 0) {
        if (choices.length === base) {
          this.undo(start);
          return -1;
        }
        const choice = choices.pop()!;
        this.undo(choice.changes);
        pc = this.resume(choice);
        at = this.place;
        continue;
      }
      const instruction = code[pc];
      if (instruction.op !== "end") {
        pc = this.step(instruction, pc, at);
        at = this.place;
      } else if (at === forbiddenEnd) {
        pc = -1;
      } else {
        choices.length = base;
        return at;
      }
    }
  }

  /** Where the run goes on, beside the instruction that `step` and `resume` give. */
  private place = 0;

  private choose(pc: number, at: number, limit = -1): void {
    this.choices.push({ pc, at, limit, changes: this.changes.length });
  }

  /** The next instruction, or -1 where this one fails. */
  private step(instruction: Instruction, pc: number, at: number): number {
    const { codes, slots } = this;
    this.place = at;
    switch (instruction.op) {
      case "character":
        if (at >= codes.length || !instruction.test(codes[at])) return -1;
        this.place = at + 1;
        return pc + 1;
      case "assertion":
        return instruction.holds(codes, at) ? pc + 1 : -1;
      case "split":
        this.choose(instruction.second, at);
        return instruction.first;
      case "jump":
        return instruction.to;
      case "set":
        this.set(instruction.slot, at);
        return pc + 1;
      case "close":
        this.set(instruction.index, slots[instruction.opened]);
        this.set(this.groups + 1 + instruction.index, at);
        return pc + 1;
      case "reference":
        return this.refer(instruction, at) ? pc + 1 : -1;
      case "condition":
        return this.group(instruction.index) === null ? instruction.no : pc + 1;
      case "characters":
        return this.characters(instruction, pc, at);
      case "part":
        return this.part(instruction, pc, at) ? instruction.next : -1;
      case "loopBegin":
        this.set(instruction.count, 0);
        this.set(instruction.last, -1);
        return pc + 1;
      case "loop":
        return this.loop(instruction, pc, at);
      case "loopBody":
        this.set(instruction.count, slots[instruction.count] + 1);
        this.set(instruction.last, at);
        return instruction.body;
      case "end":
        return -1;
    }
  }

  private loop(instruction: Instruction & { op: "loop" }, pc: number, at: number): number {
    const { count, last, min, max, lazy, body, exit } = instruction;
    const done = this.slots[count];
    if (done < min) {
      this.set(count, done + 1);
      return body;
    }
    // An iteration that took nothing is the last. The instruction behind begins another one.
    if (done >= max || at === this.slots[last]) return exit;
    this.choose(lazy ? pc + 1 : exit, at);
    return lazy ? exit : pc + 1;
  }

  private characters(instruction: Instruction & { op: "characters" }, pc: number, at: number): number {
    const { test, min, max, lazy } = instruction;
    const { codes } = this;
    const most = Math.min(codes.length, at + (lazy ? min : max));
    let end = at;
    while (end < most && test(codes[end])) end++;
    if (end < at + min) return -1;
    this.place = end;
    if (lazy) this.choose(pc, end, Math.min(codes.length, at + max));
    else if (end > at + min) this.choose(pc, end, at + min);
    return pc + 1;
  }

  /** One character less, or where as few as possible are wanted, one more. */
  private resume({ pc, at, limit }: Choice): number {
    const instruction = this.program.code[pc];
    this.place = at;
    if (limit < 0 || instruction.op !== "characters") return pc;
    if (instruction.lazy) {
      if (at >= limit || !instruction.test(this.codes[at])) return -1;
      this.place = at + 1;
      this.choose(pc, at + 1, limit);
    } else {
      this.place = at - 1;
      if (at - 1 > limit) this.choose(pc, at - 1, limit);
    }
    return pc + 1;
  }

  private part({ kind, behind }: Instruction & { op: "part" }, pc: number, at: number): boolean {
    const before = this.changes.length;
    const end = at < behind ? -1 : this.run(pc + 1, at - behind);
    if (kind === "notAhead") {
      this.undo(before);
      this.place = at;
      return end < 0;
    }
    this.place = kind === "atomic" ? end : at;
    return end >= 0;
  }

  private refer({ index, rule }: Instruction & { op: "reference" }, at: number): boolean {
    const { codes } = this;
    const group = this.group(index);
    if (group === null) return false;
    const [begin, end] = group;
    if (at + end - begin > codes.length) return false;
    for (let i = 0; i < end - begin; i++) {
      if (folded(codes[begin + i], rule) !== folded(codes[at + i], rule)) return false;
    }
    this.place = at + end - begin;
    return true;
  }
}
