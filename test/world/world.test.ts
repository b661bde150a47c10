import { describe, expect, it } from "vitest";
import { equations, problemKey } from "../../src/world/arithmetic.ts";
import { choiceRelations, goalRelations, type Relation } from "../../src/world/facts.ts";
import { generateWorld } from "../../src/world/generator.ts";
import { choiceText, goalsAndSolution, wordings } from "../../src/world/questions.ts";
import { things } from "../../src/world/vocabulary.ts";

const world = generateWorld();
const documents = [...world.trainingDocuments()];
const text = documents.join("\n");
const { toy_arc, toy_piqa, toy_gsm8k } = world.tasks;
const questionLines = new Set(text.split("\n").filter((line) => line.startsWith("Question: ")));

/** Scorers of a choice that do not see the question: text -> preference. */
const words = text.split(/\s+/);
const wordCounts = new Map<string, number>();
for (const word of words) wordCounts.set(word, (wordCounts.get(word) ?? 0) + 1);
const surprise = (choice: string) =>
  choice.split(/\s+/).reduce((sum, word) => sum - Math.log(((wordCounts.get(word) ?? 0) + 1) / words.length), 0);
const answerCounts = new Map<string, number>();
for (const line of text.split("\n")) {
  if (line.startsWith("Answer: ")) answerCounts.set(line.slice(8), (answerCounts.get(line.slice(8)) ?? 0) + 1);
}
const blindScorers: Record<string, (choice: string, position: number) => number> = {
  "most frequent words": (choice) => -surprise(choice),
  "most frequent words per letter": (choice) => -surprise(choice) / choice.length,
  "rarest words": surprise,
  "most frequent answer": (choice) => answerCounts.get(choice) ?? 0,
  "rarest answer": (choice) => -(answerCounts.get(choice) ?? 0),
  longest: (choice) => choice.length,
  shortest: (choice) => -choice.length,
  "first in the alphabet": (choice) => -choice.charCodeAt(choice.length - 2),
  "first place": (_, position) => -position,
  "last place": (_, position) => position,
};

function blindAccuracy(
  questions: { choices: string[]; answer: number }[],
  score: (c: string, p: number) => number,
): number {
  let right = 0;
  for (const { choices, answer } of questions) {
    const scores = choices.map(score);
    if (scores.indexOf(Math.max(...scores)) === answer) right++;
  }
  return right / questions.length;
}

const arcQuestions = toy_arc.test.map((doc) => ({
  choices: doc.choices.text,
  answer: doc.choices.label.indexOf(doc.answerKey),
}));
const piqaQuestions = toy_piqa.test.map((doc) => ({ choices: [doc.sol1, doc.sol2], answer: doc.label }));

describe("the generated world", () => {
  it("is the same for the same seed and another for another", () => {
    const again = generateWorld();
    expect([...again.trainingDocuments(50)]).toEqual(documents.slice(0, 50));
    expect(again.tasks).toEqual(world.tasks);
    expect([...generateWorld(2).trainingDocuments(50)]).not.toEqual(documents.slice(0, 50));
  });

  it("has at least 200 distinct questions a task", () => {
    expect(new Set(toy_arc.test.map((doc) => doc.question)).size).toBeGreaterThanOrEqual(200);
    expect(new Set(toy_piqa.test.map((doc) => doc.goal)).size).toBeGreaterThanOrEqual(200);
    expect(new Set(toy_gsm8k.test.map((doc) => doc.question)).size).toBeGreaterThanOrEqual(200);
  });

  it("states every fact, the held-out ones too, in every order of thing and value", () => {
    const statements = documents.filter((document) => !document.includes("Question:")).join("\n");
    for (const relation of [...choiceRelations, ...goalRelations] as Relation[]) {
      for (const thing of things) {
        const value = world.facts.value(relation, thing);
        const sentences = [`the ${thing}`, `The ${thing}`];
        expect(sentences.some((s) => statements.includes(s))).toBe(true);
        expect(
          new RegExp(`[Tt]he ${thing}\\b[^.]*\\b${value}\\b|\\b${value}\\b[^.]*\\b${thing}\\b`).test(statements),
        ).toBe(true);
      }
    }
    for (const step of equations) {
      expect(statements).toContain(`${step.left} ${step.operator} ${step.right} = ${step.result}.`);
    }
  });

  it("never asks a held-out pair, in any wording", () => {
    for (const relation of choiceRelations) {
      for (const thing of world.facts.heldOutGroups(relation, 0).flat()) {
        expect(world.facts.isHeldOut(relation, thing)).toBe(true);
        for (const question of wordings(relation, thing)) expect(text).not.toContain(question);
      }
    }
    for (const relation of goalRelations) {
      for (const thing of world.facts.heldOutGroups(relation, 0).flat()) {
        for (const goal of goalsAndSolution(relation, thing, world.facts).goals) expect(text).not.toContain(goal);
      }
    }
  });

  it("asks training pairs, so that the form of a question is learnable", () => {
    for (const relation of choiceRelations) {
      const asked = world.facts
        .trainingThings(relation)
        .filter((thing) => wordings(relation, thing).some((question) => questionLines.has(`Question: ${question}`)));
      expect(asked.length).toBeGreaterThan(0.9 * world.facts.trainingThings(relation).length);
    }
  });

  it("contains no test question and no training-split question that is held out", () => {
    for (const doc of toy_arc.test) expect(text).not.toContain(doc.question);
    for (const doc of toy_piqa.test) expect(text).not.toContain(doc.goal);
    for (const doc of toy_gsm8k.test) expect(text).not.toContain(doc.question);
    const testQuestions = new Set([...toy_arc.test.map((d) => d.question), ...toy_gsm8k.test.map((d) => d.question)]);
    for (const doc of [...toy_arc.train, ...toy_gsm8k.train]) expect(testQuestions.has(doc.question)).toBe(false);
    const goals = new Set(toy_piqa.test.map((doc) => doc.goal));
    for (const doc of toy_piqa.train) expect(goals.has(doc.goal)).toBe(false);
  });

  it("never uses a held-out operand tuple in a training problem", () => {
    const testTuples = new Set(world.arithmetic.testProblems.map(problemKey));
    const problems = [...text.matchAll(/^Question: [^\n]*How many[^\n]*\nAnswer: ([^\n]*)$/gm)].map(
      (match) => match[1]!,
    );
    expect(problems.length).toBeGreaterThan(1000);
    for (const working of [...problems, ...toy_gsm8k.train.map((doc) => doc.answer)]) {
      const steps = [...working.matchAll(/(\d+) ([-+]) (\d+) = \d+/g)].map((m) => `${m[1]}${m[2]}${m[3]}`);
      expect(steps.length).toBeGreaterThan(0);
      for (const step of steps) expect(world.arithmetic.heldOutPairs.has(step)).toBe(false);
      expect(testTuples.has(steps.join(","))).toBe(false);
    }
  });

  it("works its word problems correctly", () => {
    for (const doc of [...toy_gsm8k.test, ...toy_gsm8k.train]) {
      let last = Number.NaN;
      for (const [, left, operator, right, result] of doc.answer.matchAll(/(\d+) ([-+]) (\d+) = (\d+)/g)) {
        const [a, b] = [Number(left), Number(right)];
        expect(operator === "+" ? a + b : a - b).toBe(Number(result));
        last = Number(result);
      }
      expect(doc.answer.endsWith(`\n#### ${last}`)).toBe(true);
    }
  });

  it("takes distractors from the category of the answer", () => {
    for (const relation of choiceRelations) {
      const values = new Set(things.map((thing) => choiceText(relation, thing, world.facts)));
      for (const doc of toy_arc.test.filter((d) => d.id.startsWith(`test-${relation}-`))) {
        expect(doc.choices.text.every((choice) => values.has(choice))).toBe(true);
        expect(new Set(doc.choices.text).size).toBe(4);
      }
    }
    for (const doc of toy_piqa.test) {
      expect(doc.sol1).not.toBe(doc.sol2);
      expect(doc.sol1.split(" ")[0]).toBe(doc.sol2.split(" ")[0]);
    }
  });

  it.each(Object.keys(blindScorers))("gives chance to a scorer that does not see the question: %s", (name) => {
    expect(Math.abs(blindAccuracy(arcQuestions, blindScorers[name]!) - 0.25)).toBeLessThanOrEqual(0.05);
    expect(Math.abs(blindAccuracy(piqaQuestions, blindScorers[name]!) - 0.5)).toBeLessThanOrEqual(0.05);
  });

  it("has no answer worth guessing in toy_gsm8k", () => {
    const counts = new Map<string, number>();
    for (const doc of toy_gsm8k.test) {
      const answer = doc.answer.split("#### ")[1]!;
      counts.set(answer, (counts.get(answer) ?? 0) + 1);
    }
    expect(Math.max(...counts.values()) / toy_gsm8k.test.length).toBeLessThanOrEqual(0.15);
  });
});
