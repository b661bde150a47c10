/** Synthetic probes: right answers, the held-out part, the notation. */
import { describe, expect, it } from "vitest";
import { isHeldOut, type ProbeExample } from "../../src/probes/probe.ts";
import { ProbeError, parseProbe, probes } from "../../src/probes/registry.ts";

/** The answer by another way than the generator's, from the prompt alone. */
const answers: Record<string, (prompt: string) => string> = {
  addition: (prompt) => {
    const [, a, b] = /^(\d+)\+(\d+)=$/.exec(prompt)!;
    // By hand, digit for digit.
    let [sum, carry] = ["", 0];
    for (let i = 1; i <= Math.max(a.length, b.length); i++) {
      const digit = Number(a.at(-i) ?? 0) + Number(b.at(-i) ?? 0) + carry;
      sum = (digit % 10) + sum;
      carry = digit > 9 ? 1 : 0;
    }
    return carry ? `1${sum}` : sum;
  },
  modular_addition: (prompt) => {
    const [, a, b, modulus] = /^(\d+)\+(\d+) mod (\d+)=$/.exec(prompt)!.map(Number);
    expect(Math.max(a, b)).toBeLessThan(modulus);
    return String(a + b >= modulus ? a + b - modulus : a + b);
  },
  copy: (prompt) => /^copy ([a-z]+)=$/.exec(prompt)![1],
  sort: (prompt) => {
    const digits = /^sort (\d+)=$/.exec(prompt)![1];
    return Array.from("0123456789", (digit) => digit.repeat(digits.split(digit).length - 1)).join("");
  },
  parity: (prompt) => ((/^parity ([01]+)=$/.exec(prompt)![1].replaceAll("0", "").length & 1) === 1 ? "1" : "0"),
  dyck: (prompt) => {
    let rest = /^dyck ([()[\]{}<>]+)=$/.exec(prompt)![1];
    for (let before = ""; before !== rest; ) {
      before = rest;
      rest = rest.replace(/\(\)|\[\]|\{\}|<>/g, "");
    }
    expect(rest).toMatch(/^[([{<]+$/);
    return [...rest]
      .reverse()
      .map((bracket) => ({ "(": ")", "[": "]", "{": "}", "<": ">" })[bracket])
      .join("");
  },
  recall: (prompt) => {
    const [, pairs, key] = /^recall ((?:[a-z]\d)+) ([a-z])=$/.exec(prompt)!;
    expect(pairs.split(key)).toHaveLength(2);
    return pairs[pairs.indexOf(key) + 1];
  },
};

const examplesOf = (text: string): ProbeExample[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const end = line.indexOf("=") + 1;
      return { prompt: line.slice(0, end), answer: line.slice(end) };
    });

describe.each(probes.map(({ name }) => name))("%s", (name) => {
  const probe = parseProbe(`${name}?documents=100&questions=100`);
  const trained = [...probe.documents()].flatMap(examplesOf);
  const [train, test] = (["train", "test"] as const).map((split) => probe.questions(split));

  it("has right answers", () => {
    expect(trained).toHaveLength(800);
    for (const { prompt, answer } of [...trained, ...train, ...test])
      expect(answer, prompt).toBe(answers[name](prompt));
  });

  it("asks different questions, none of them in the text of any seed", () => {
    expect(test).toHaveLength(100);
    expect(new Set(test.map(({ prompt }) => prompt)).size).toBe(100);
    expect(test.every(isHeldOut)).toBe(true);
    const other = [...parseProbe(`${name}?documents=100&seed=2`).documents()].flatMap(examplesOf);
    expect([...trained, ...train, ...other].some(isHeldOut)).toBe(false);
    expect(other).not.toEqual(trained);
  });

  it("is the same each time", () => {
    expect([...parseProbe(probe.notation).documents()].flatMap(examplesOf)).toEqual(trained);
    expect(parseProbe(probe.notation).questions("test")).toEqual(test);
  });
});

describe("difficulty", () => {
  it("bounds the sizes, which are all drawn", () => {
    const sizes = (notation: string, pattern: RegExp) =>
      new Set(
        parseProbe(notation)
          .questions("train")
          .flatMap(({ prompt }) => prompt.match(pattern)!.map((x) => x.length)),
      );
    expect(sizes("addition?digits=5", /\d+/g)).toEqual(new Set([1, 2, 3, 4, 5]));
    expect(sizes("parity?length=12", /[01]+/g).size).toBe(12);
    expect(sizes("recall?pairs=3", /[a-z]\d[a-z]\d[a-z]\d/g)).toEqual(new Set([6]));
    const brackets = parseProbe("dyck?kinds=1")
      .questions("test")
      .map(({ prompt }) => prompt.slice(5, -1));
    expect(new Set(brackets.join(""))).toEqual(new Set("()"));
  });

  it("may leave few questions, and says if none", () => {
    const few = parseProbe("parity?length=4").questions("test");
    expect(few.length).toBeGreaterThan(0);
    expect(few.length).toBeLessThan(31);
    const none = parseProbe("parity?length=1");
    const [train, test] = [() => none.questions("train"), () => none.questions("test")];
    // Two prompts: whichever part is empty says so.
    expect(() => [train(), test()]).toThrow(/^probe parity\?length=1.*: has no examples to (ask|train on)/);
  });
});

it("names what cannot be", () => {
  const problem = (notation: string) => {
    try {
      parseProbe(notation);
    } catch (error) {
      expect(error).toBeInstanceOf(ProbeError);
      return (error as Error).message;
    }
    throw new Error(`${notation} is a probe`);
  };
  expect(problem("additon")).toMatch(
    /^probe additon: there is no probe additon; the nearest is addition: addition, modul/,
  );
  expect(problem("copy?digits=3")).toBe(
    "probe copy?digits=3: copy has no option digits; it has length, letters, seed, documents, examples, questions",
  );
  for (const value of ["0", "-1", "2.5", "x", ""]) {
    expect(problem(`addition?digits=${value}`)).toMatch(/: digits is a whole number from 1 to 15, not "/);
  }
});
