/** Reads Python's regular expressions (`re`, on `str`), as CPython's `re._parser` does. */
import {
  type CaseRule,
  type CharacterTest,
  type ClassItem,
  category,
  characterClass,
  literal,
} from "./character_set.ts";
import { type Assertion, type Node, widthOf } from "./nodes.ts";

/** What is wrong with a pattern, in the words of Python's `re`. */
export class PatternError extends Error {
  override name = "PatternError";
}

/** The letters of `(?aimsux)` that are on. */
export type Flags = ReadonlySet<string>;

export interface Pattern {
  node: Node;
  groups: number;
  names: ReadonlyMap<string, number>;
}

const anything: CharacterTest = () => true;
const noLineBreak: CharacterTest = (code) => code !== 10;
const controls: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, "\\": 92 };
const unlimited = Number.POSITIVE_INFINITY;
const isWordLetter = { unicode: category("w", false), ascii: category("w", true) };

const atBegin: Assertion = (_, at) => at === 0;
const atEnd: Assertion = (codes, at) => at === codes.length;
const atLineBegin: Assertion = (codes, at) => at === 0 || codes[at - 1] === 10;
const atLineEnd: Assertion = (codes, at) => at === codes.length || codes[at] === 10;
const atLastLineEnd: Assertion = (codes, at) => at === codes.length || (at === codes.length - 1 && codes[at] === 10);

/** Neither holds in an empty text. */
function boundary(isWord: CharacterTest, wanted: boolean): Assertion {
  return (codes, at) => {
    if (codes.length === 0) return false;
    const before = at > 0 && isWord(codes[at - 1]);
    const after = at < codes.length && isWord(codes[at]);
    return (before !== after) === wanted;
  };
}

/** @throws {PatternError} */
export function parsePattern(text: string, flags: Flags): Pattern {
  return new PatternReader(text, flags).pattern();
}

class PatternReader {
  private readonly characters: readonly string[];
  private at = 0;
  private flags: Flags;
  private groups = 0;
  /** Of the groups that conditions name: they may stand behind. */
  private largestCondition = 0;
  private readonly names = new Map<string, number>();
  private readonly widths = new Map<number, readonly [number, number]>();

  constructor(text: string, flags: Flags) {
    this.characters = Array.from(text);
    this.flags = flags;
  }

  pattern(): Pattern {
    const node = this.alternatives(true);
    if (this.at < this.characters.length) throw this.error("unbalanced parenthesis");
    if (this.largestCondition > this.groups) throw this.error(`invalid group reference ${this.largestCondition}`);
    return { node, groups: this.groups, names: this.names };
  }

  private get rule(): CaseRule {
    return { ignoreCase: this.flags.has("i"), ascii: this.flags.has("a") };
  }

  private get next(): string | undefined {
    return this.characters[this.at];
  }

  private take(text: string): boolean {
    const found = this.characters.slice(this.at, this.at + text.length).join("") === text;
    if (found) this.at += text.length;
    return found;
  }

  /** Up to `end`, which is passed. */
  private until(end: string, what: string): string {
    const stop = this.characters.indexOf(end, this.at);
    if (stop < 0) throw this.error(`missing ${end}, unterminated ${what}`);
    const text = this.characters.slice(this.at, stop).join("");
    this.at = stop + 1;
    if (text === "") throw this.error(`missing ${what}`);
    return text;
  }

  private error(message: string): PatternError {
    return new PatternError(`${message} at position ${this.at}`);
  }

  /** @param isWhole of the whole pattern, where flags may stand at the beginning */
  private alternatives(isWhole = false): Node {
    const options = [this.sequence(isWhole)];
    while (this.take("|")) options.push(this.sequence());
    const tests = options.flatMap((option) => (option.kind === "character" ? option.test : []));
    // One of several characters is a class: repeats of it need no call for each.
    if (tests.length === options.length && tests.length > 1) {
      return { kind: "character", test: (code) => tests.some((test) => test(code)) };
    }
    return options.length === 1 ? options[0] : { kind: "alternatives", options };
  }

  private sequence(takesFlags = false): Node {
    const items: Node[] = [];
    for (;;) {
      if (this.flags.has("x")) this.skipComments();
      if (this.next === undefined || this.next === "|" || this.next === ")") break;
      const item = this.item(takesFlags && items.length === 0);
      if (item !== null) items.push(this.repeated(item));
    }
    return items.length === 1 ? items[0] : { kind: "sequence", items };
  }

  private skipComments(): void {
    const rest = this.characters.slice(this.at).join("");
    this.at += Array.from(/^(?:[ \t\n\r\v\f]|#[^\n]*)*/.exec(rest)![0]).length;
  }

  private repeated(item: Node): Node {
    let node = item;
    for (let isFirst = true; ; isFirst = false) {
      if (this.flags.has("x")) this.skipComments();
      const range = this.quantifier();
      if (range === null) return node;
      if (item.kind === "assertion") throw this.error("nothing to repeat");
      if (!isFirst) throw this.error("multiple repeat");
      const [min, max] = range;
      const mode = this.take("?") ? "lazy" : this.take("+") ? "possessive" : "greedy";
      node = { kind: "repeat", item, min, max, mode };
    }
  }

  /** Null, and nothing taken, where there is none. */
  private quantifier(): [number, number] | null {
    if (this.take("*")) return [0, unlimited];
    if (this.take("+")) return [1, unlimited];
    if (this.take("?")) return [0, 1];
    const braces = /^\{(\d*)(,?)(\d*)\}/.exec(this.characters.slice(this.at, this.at + 24).join(""));
    if (braces === null || braces[0] === "{}") return null;
    this.at += braces[0].length;
    const [, low, comma, high] = braces;
    const min = Number(low || "0");
    const max = comma === "" ? min : high === "" ? unlimited : Number(high);
    if (max < min) throw this.error("min repeat greater than max repeat");
    return [min, max];
  }

  /** Null: nothing that matches (flags, a comment). */
  private item(isFirst: boolean): Node | null {
    const character = this.characters[this.at++];
    const isMultiline = this.flags.has("m");
    switch (character) {
      case ".":
        return { kind: "character", test: this.flags.has("s") ? anything : noLineBreak };
      case "^":
        return { kind: "assertion", holds: isMultiline ? atLineBegin : atBegin };
      case "$":
        return { kind: "assertion", holds: isMultiline ? atLineEnd : atLastLineEnd };
      case "[":
        return this.characterClass();
      case "(":
        return this.group(isFirst);
      case "\\":
        return this.escape();
      case "*":
      case "+":
      case "?":
        this.at--;
        throw this.error("nothing to repeat");
      case "{":
        this.at--;
        if (this.quantifier() !== null) throw this.error("nothing to repeat");
        this.at++;
    }
    return { kind: "character", test: literal(character.codePointAt(0)!, this.rule) };
  }

  private escape(): Node {
    const letter = this.next;
    if (letter === undefined) throw this.error("bad escape (end of pattern)");
    if (/[wWdDsS]/.test(letter)) {
      this.at++;
      return { kind: "character", test: category(letter, this.flags.has("a")) };
    }
    const assertion = this.assertion(letter);
    if (assertion !== null) {
      this.at++;
      return { kind: "assertion", holds: assertion };
    }
    if (/[1-9]/.test(letter)) {
      const digits = /^(?:[0-3][0-7][0-7]|[1-9]\d?)/.exec(this.characters.slice(this.at, this.at + 3).join(""))![0];
      if (digits.length < 3) {
        this.at += digits.length;
        return this.reference(Number(digits));
      }
    }
    return { kind: "character", test: literal(this.escapedCode(), this.rule) };
  }

  private assertion(letter: string): Assertion | null {
    const isWord = this.flags.has("a") ? isWordLetter.ascii : isWordLetter.unicode;
    switch (letter) {
      case "A":
        return atBegin;
      case "Z":
        return atEnd;
      case "b":
        return boundary(isWord, true);
      case "B":
        return boundary(isWord, false);
      default:
        return null;
    }
  }

  private reference(index: number): Node {
    if (index > this.groups) throw this.error(`invalid group reference ${index}`);
    if (!this.widths.has(index)) throw this.error("cannot refer to an open group");
    return { kind: "reference", index, rule: this.rule };
  }

  /** Of an escape, behind its backslash. */
  private escapedCode(): number {
    const rest = this.characters.slice(this.at, this.at + 10).join("");
    const hex = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rest);
    const octal = /^(?:0[0-7]{0,2}|[0-7]{3})/.exec(rest);
    if (hex !== null || octal !== null) {
      const [all] = (hex ?? octal)!;
      const code = hex === null ? Number.parseInt(all, 8) : Number.parseInt(all.slice(1), 16);
      if (code > (hex === null ? 0o377 : 0x10ffff)) throw this.error(`bad escape \\${all}`);
      this.at += all.length;
      return code;
    }
    const letter = this.characters[this.at];
    if (Object.hasOwn(controls, letter)) {
      this.at++;
      return controls[letter];
    }
    if (/[0-9a-zA-Z]/.test(letter)) throw this.error(`bad escape \\${letter}`);
    this.at++;
    return letter.codePointAt(0)!;
  }

  private characterClass(): Node {
    const negated = this.take("^");
    const items: ClassItem[] = [];
    for (let isFirst = true; isFirst || this.next !== "]"; isFirst = false) {
      const first = this.classItem();
      const isRange = this.next === "-" && this.characters[this.at + 1] !== "]" && this.at + 1 < this.characters.length;
      if (!isRange) {
        items.push(typeof first === "number" ? [first, first] : first);
        continue;
      }
      this.at++;
      const last = this.classItem();
      if (typeof first !== "number" || typeof last !== "number" || last < first)
        throw this.error("bad character range");
      items.push([first, last]);
    }
    this.at++;
    return { kind: "character", test: characterClass(items, negated, this.rule) };
  }

  private classItem(): number | CharacterTest {
    const character = this.next;
    if (character === undefined) throw this.error("unterminated character set");
    this.at++;
    if (character !== "\\") return character.codePointAt(0)!;
    const letter = this.next;
    if (letter === undefined) throw this.error("bad escape (end of pattern)");
    if (!/[wWdDsS]/.test(letter)) return this.escapedCode();
    this.at++;
    return category(letter, this.flags.has("a"));
  }

  private group(isFirst: boolean): Node | null {
    if (!this.take("?")) return this.capture(null);
    if (this.take("P<")) return this.capture(this.until(">", "group name"));
    if (this.take("P=")) {
      const name = this.until(")", "group name");
      const index = this.names.get(name);
      if (index === undefined) throw this.error(`unknown group name '${name}'`);
      return this.reference(index);
    }
    if (this.take("#")) {
      while (this.next !== ")")
        if (this.at++ >= this.characters.length) throw this.error("missing ), unterminated comment");
      this.at++;
      return null;
    }
    if (this.take(":")) return this.closed(this.grouped());
    if (this.take(">")) return this.closed({ kind: "atomic", item: this.alternatives() });
    if (this.take("=")) return this.closed({ kind: "look", behind: null, negative: false, item: this.alternatives() });
    if (this.take("!")) return this.closed({ kind: "look", behind: null, negative: true, item: this.alternatives() });
    if (this.take("<=")) return this.lookBehind(false);
    if (this.take("<!")) return this.lookBehind(true);
    if (this.take("(")) return this.condition();
    return this.flagGroup(isFirst);
  }

  /** An assertion alone cannot be repeated, but its group can. */
  private grouped(): Node {
    const node = this.alternatives();
    return node.kind === "assertion" ? { kind: "sequence", items: [node] } : node;
  }

  private closed<T>(node: T): T {
    if (!this.take(")")) throw this.error("missing ), unterminated subpattern");
    return node;
  }

  private capture(name: string | null): Node {
    const index = ++this.groups;
    if (name !== null) {
      if (!/^[\p{L}_][\p{L}\p{N}\p{M}_]*$/u.test(name)) throw this.error(`bad character in group name '${name}'`);
      if (this.names.has(name)) throw this.error(`redefinition of group name '${name}'`);
      this.names.set(name, index);
    }
    const item = this.closed(this.alternatives());
    this.widths.set(index, widthOf(item, this.widths));
    return { kind: "group", index, item };
  }

  private lookBehind(negative: boolean): Node {
    const item = this.closed(this.alternatives());
    const [least, most] = widthOf(item, this.widths);
    if (least !== most) throw this.error("look-behind requires fixed-width pattern");
    return { kind: "look", behind: least, negative, item };
  }

  private condition(): Node {
    const name = this.until(")", "group name");
    const index = /^\d+$/.test(name) ? Number(name) : this.names.get(name);
    if (index === undefined) throw this.error(`unknown group name '${name}'`);
    if (index === 0) throw this.error("bad group number");
    this.largestCondition = Math.max(this.largestCondition, index);
    const yes = this.sequence();
    const no: Node = this.take("|") ? this.sequence() : { kind: "sequence", items: [] };
    if (this.next === "|") throw this.error("conditional backref with more than two branches");
    return this.closed({ kind: "condition", index, yes, no });
  }

  /** `(?i)`, `(?i:...)`, `(?-i:...)`. */
  private flagGroup(isFirst: boolean): Node | null {
    const begin = this.at;
    const letters = /^([aiLmsux]*)(?:-([imsx]+))?([:)])/.exec(this.characters.slice(begin, begin + 24).join(""));
    if (letters === null) throw this.error(`unknown extension ?${this.next ?? ""}`);
    const [all, added, removed = "", end] = letters;
    if (added.includes("L")) throw this.error("cannot use LOCALE flag with a str pattern");
    if (added.includes("a") && added.includes("u")) throw this.error("ASCII and UNICODE flags are incompatible");
    if (Array.from(removed).some((letter) => added.includes(letter))) throw this.error("flag turned on and off");
    if (end === ")" && (added === "" || removed !== "")) throw this.error("missing flag");
    if (end === ")" && !isFirst) throw this.error("global flags not at the start of the expression");
    this.at += all.length;
    const outer = this.flags;
    const flags = new Set([...outer, ...added].filter((letter) => !removed.includes(letter)));
    if (added.includes("u")) flags.delete("a");
    this.flags = flags;
    if (end === ")") return null;
    const node = this.closed(this.grouped());
    this.flags = outer;
    return node;
  }
}
