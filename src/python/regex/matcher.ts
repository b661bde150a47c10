/**
 * Runs a regular expression on a text by backtracking, as CPython's `_sre` does: what is tried first, what a group holds
 * after a repeat, and when an empty repeat ends are the same.
 */
import { folded } from "./character_set.ts";
import type { Node } from "./nodes.ts";

/** From a place to the end of the match, or -1. */
type Step = (at: number) => number;

export class Matcher {
  /** Where each group begins and ends, by its number; -1 where it did not take part. */
  readonly begins: Int32Array;
  readonly ends: Int32Array;
  private readonly opened: Int32Array;
  private readonly start: Step;
  private codes: ArrayLike<number> = [];
  /** A match must not end here. */
  private forbiddenEnd = -1;

  /** @param groups how many there are */
  constructor(node: Node, groups: number) {
    this.begins = new Int32Array(groups + 1);
    this.ends = new Int32Array(groups + 1);
    this.opened = new Int32Array(groups + 1);
    this.start = this.compile(node, (at) => (at === this.forbiddenEnd ? -1 : at));
  }

  /**
   * The end of the match that begins at `at`, or -1.
   * @param forbiddenEnd a match must not end there; -1: it may end anywhere
   */
  matchAt(codes: ArrayLike<number>, at: number, forbiddenEnd: number): number {
    this.codes = codes;
    this.forbiddenEnd = forbiddenEnd;
    this.begins.fill(-1);
    this.ends.fill(-1);
    return this.start(at);
  }

  /** What matches `node` and then `next`. */
  private compile(node: Node, next: Step): Step {
    switch (node.kind) {
      case "character": {
        const { test } = node;
        return (at) => (at < this.codes.length && test(this.codes[at]) ? next(at + 1) : -1);
      }
      case "sequence":
        return node.items.reduceRight<Step>((rest, item) => this.compile(item, rest), next);
      case "alternatives":
        return firstOf(node.options.map((option) => this.compile(option, next)));
      case "repeat":
        return this.repeat(node, next);
      case "group":
        return this.group(node.index, node.item, next);
      case "atomic":
        return this.alone(node.item, next);
      case "look":
        return this.look(node, next);
      case "reference":
        return this.reference(node, next);
      case "condition": {
        const [yes, no] = [this.compile(node.yes, next), this.compile(node.no, next)];
        return (at) => (this.ends[node.index] >= 0 ? yes(at) : no(at));
      }
      case "assertion":
        return (at) => (node.holds(this.codes, at) ? next(at) : -1);
    }
  }

  private group(index: number, item: Node, next: Step): Step {
    const { begins, ends, opened } = this;
    const inner = this.compile(item, (end) => {
      const [begin, before] = [begins[index], ends[index]];
      begins[index] = opened[index];
      ends[index] = end;
      const result = next(end);
      if (result < 0) {
        begins[index] = begin;
        ends[index] = before;
      }
      return result;
    });
    return (at) => {
      const before = opened[index];
      opened[index] = at;
      const result = inner(at);
      if (result < 0) opened[index] = before;
      return result;
    };
  }

  /** The first way to match `item`, and no other. */
  private alone(item: Node, next: Step): Step {
    const inner = this.compile(item, (at) => at);
    return (at) => {
      const restore = this.saved();
      const end = inner(at);
      const result = end < 0 ? -1 : next(end);
      if (result < 0) restore();
      return result;
    };
  }

  private look({ behind, negative, item }: Node & { kind: "look" }, next: Step): Step {
    const inner = this.compile(item, (at) => at);
    const width = behind ?? 0;
    return (at) => {
      const restore = this.saved();
      const found = at >= width && inner(at - width) >= 0;
      if (negative) restore();
      const result = found !== negative ? next(at) : -1;
      if (result < 0) restore();
      return result;
    };
  }

  private reference({ index, rule }: Node & { kind: "reference" }, next: Step): Step {
    return (at) => {
      const { codes } = this;
      const [begin, end] = [this.begins[index], this.ends[index]];
      if (end < 0 || at + end - begin > codes.length) return -1;
      for (let i = 0; i < end - begin; i++) {
        if (folded(codes[begin + i], rule) !== folded(codes[at + i], rule)) return -1;
      }
      return next(at + end - begin);
    };
  }

  private repeat(node: Node & { kind: "repeat" }, next: Step): Step {
    const { item, min, max, mode } = node;
    if (mode === "possessive") return this.alone({ ...node, mode: "greedy" }, next);
    if (item.kind === "character") return mode === "lazy" ? this.fewest(node, next) : this.most(node, next);
    // Of the repeat that is running: an outer one may begin it anew.
    let [count, last] = [0, -1];
    const iteration = (at: number, marks: boolean): number => {
      const before = [count, last];
      count++;
      if (marks) last = at;
      const result = body(at);
      if (result < 0) [count, last] = before;
      return result;
    };
    const more: Step = (at) => {
      if (count < min) return iteration(at, false);
      // An iteration that took nothing is the last.
      const another = () => (count < max && at !== last ? iteration(at, true) : -1);
      const first = mode === "lazy" ? next(at) : another();
      if (first >= 0) return first;
      return mode === "lazy" ? another() : next(at);
    };
    const body = this.compile(item, (at) => more(at));
    return (at) => {
      const before = [count, last];
      [count, last] = [0, -1];
      const result = more(at);
      [count, last] = before;
      return result;
    };
  }

  /** Of single characters, without a call for each: as many as there are, then fewer. */
  private most({ item, min, max }: Node & { kind: "repeat" }, next: Step): Step {
    const { test } = item as Node & { kind: "character" };
    return (at) => {
      const { codes } = this;
      let end = at;
      while (end - at < max && end < codes.length && test(codes[end])) end++;
      for (; end - at >= min; end--) {
        const result = next(end);
        if (result >= 0) return result;
      }
      return -1;
    };
  }

  private fewest({ item, min, max }: Node & { kind: "repeat" }, next: Step): Step {
    const { test } = item as Node & { kind: "character" };
    return (at) => {
      const { codes } = this;
      for (let end = at; ; end++) {
        if (end - at >= min) {
          const result = next(end);
          if (result >= 0) return result;
        }
        if (end - at >= max || end >= codes.length || !test(codes[end])) return -1;
      }
    };
  }

  private saved(): () => void {
    const [begins, ends] = [this.begins.slice(), this.ends.slice()];
    return () => {
      this.begins.set(begins);
      this.ends.set(ends);
    };
  }
}

function firstOf(options: readonly Step[]): Step {
  return (at) => {
    for (const option of options) {
      const result = option(at);
      if (result >= 0) return result;
    }
    return -1;
  };
}
