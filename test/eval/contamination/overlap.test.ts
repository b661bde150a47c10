/** Overlap of test documents and a corpus, against a comparison of plain word lists. */
import { describe, expect, test } from "vitest";
import { NgramIndex } from "../../../src/eval/contamination/ngram_index.ts";
import {
  type CorpusPart,
  cleanScores,
  findOverlap,
  overlapJson,
  overlapLines,
} from "../../../src/eval/contamination/overlap.ts";
import { normalizedWords, WordStream } from "../../../src/eval/contamination/word_stream.ts";
import { TaskData } from "../../../src/eval/data/task_data.ts";
import { evaluate } from "../../../src/eval/evaluator.ts";
import { findTask } from "../../../src/eval/task/task_registry.ts";
import { CounterRng } from "../../../src/random/counter_rng.ts";
import { fakeLanguageModel } from "../fake_language_model.ts";

async function* corpus(...documents: string[][]): AsyncGenerator<CorpusPart> {
  for (const parts of documents) {
    for (const [i, text] of parts.entries()) yield { text, last: i === parts.length - 1 };
  }
}

const words = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `word${from + i}`).join(" ");

describe("words", () => {
  test("have no case and no punctuation", () => {
    expect(normalizedWords("  Don't PANIC -- it's “fine”,\n\tÉtÉ 3.14! ")).toEqual([
      "dont",
      "panic",
      "its",
      "fine",
      "été",
      "314",
    ]);
    expect(normalizedWords("-- ... !")).toEqual([]);
  });

  test("are the same however the text is cut", () => {
    const text = "The quick, brown fox; jumped over-the lazy dog's back 😀 twice. ";
    const hashes = (cut: number) => {
      const heard: number[] = [];
      const stream = new WordStream();
      stream.push(text.slice(0, cut), (a, b) => heard.push(a, b));
      stream.push(text.slice(cut), (a, b) => heard.push(a, b));
      stream.end((a, b) => heard.push(a, b));
      return heard;
    };
    const whole = hashes(0);
    expect(whole).toHaveLength(2 * normalizedWords(text).length);
    expect(new Set(whole).size).toBe(whole.length);
    for (let cut = 1; cut <= text.length; cut++) expect(hashes(cut)).toEqual(whole);
  });
});

describe("n-grams", () => {
  test("found are those that a comparison of word lists finds", () => {
    // Few different words: many chance matches.
    const rng = new CounterRng(3, "overlap");
    const text = (length: number) => Array.from({ length }, () => "ab"[Math.floor(rng.uniform() * 2)]);
    const tests = Array.from({ length: 300 }, () => text(5 + Math.floor(rng.uniform() * 20)));
    const documents = Array.from({ length: 8 }, () => text(400));
    const index = new NgramIndex();
    const indexed = tests.map((test) => index.add(test.join(" ")));
    for (const document of documents) {
      const whole = document.join(" ");
      for (let i = 0; i < whole.length; i += 37) index.scan(whole.slice(i, i + 37));
      index.endDocument();
    }
    const lines = documents.map((document) => document.join(""));
    const expected = tests.map((test) => {
      const n = Math.min(13, test.length);
      if (n < 8) return -1;
      for (let i = 0; i + n <= test.length; i++) {
        const gram = test.slice(i, i + n).join("");
        if (lines.some((line) => line.includes(gram))) return i;
      }
      return -1;
    });
    expect(indexed.map((test) => index.firstSeen(test))).toEqual(expected);
    expect(expected.filter((place) => place >= 0).length).toBeGreaterThan(100);
    expect(expected.filter((place) => place < 0).length).toBeGreaterThan(50);
    expect(index.corpusWords).toBe(8 * 400);
  });
});

describe("overlap", () => {
  const tests = [
    {
      task: "t",
      documents: [
        { id: "a", question: `Say: ${words(20)}?`, choices: { text: ["yes", "no"] } },
        { id: "b", question: words(12, 50), nested: [[words(9, 100)]] },
        { id: "c", question: words(13, 200), answer: 3 },
        { id: "d", question: "too short to tell" },
      ],
    },
  ];

  test("takes 13 words, or all of a text with 8 to 12", async () => {
    const found = await findOverlap(
      tests,
      corpus(
        // 13 of a's words, in other case and with punctuation, cut in the middle of a word.
        [
          `Before, ${words(15, 3).toUpperCase().replaceAll(" ", ", ").slice(0, 40)}`,
          `${words(15, 3).toUpperCase().replaceAll(" ", ", ").slice(40)}!`,
        ],
        // b's nested text; only 11 of its question's 12 words.
        [`${words(11, 50)} other ${words(9, 100)} more`],
        // 12 of c's words at the end of one document, its last one at the beginning of the next.
        [words(12, 200)],
        ["word212 and so on"],
      ),
    );
    expect(found.corpusDocuments).toBe(4);
    expect(found.tasks).toEqual([
      {
        task: "t",
        documents: 4,
        overlapping: [
          { docId: 0, words: words(13, 3) },
          { docId: 1, words: words(9, 100) },
        ],
        tooShort: 1,
      },
    ]);
  });

  test("an empty corpus has none; an abort ends the reading", async () => {
    expect((await findOverlap(tests, corpus())).tasks[0].overlapping).toEqual([]);
    const signal = AbortSignal.abort(new Error("interrupted"));
    await expect(findOverlap(tests, corpus(["x"]), signal)).rejects.toThrow("interrupted");
  });

  test("scores without the overlapping documents are printed and written beside those of all", async () => {
    const task = findTask("toy_gsm8k");
    const data = new TaskData();
    // Every other problem is solved.
    const problems = (await data.documents(task, "test")).documents.map(({ document }) => document);
    const solved = problems.filter((_, i) => i % 2 === 0) as { question: string; answer: string }[];
    const model = fakeLanguageModel({
      generate: (context) => solved.find(({ question }) => context.includes(question))?.answer ?? "",
    });
    const [result] = await evaluate(model, [task], data, { limit: 30 });
    const documents = problems.slice(0, 30);
    const leaked = [3, 4, 17];
    const text = leaked.map((i) => [`${JSON.stringify(documents[i]).replaceAll(/[":{}[\],]/g, " ")}`]);
    const overlap = await findOverlap([{ task: task.name, documents }], corpus(...text));
    const entry = overlap.tasks[0];
    const ids = entry.overlapping.map(({ docId }) => docId);
    expect(ids).toEqual(expect.arrayContaining(leaked));
    expect(ids.length).toBeLessThan(30);

    const [{ metric, filter, value }] = result.scores;
    const clean = result.samples
      .filter((sample) => sample.filter === filter && !ids.includes(sample.docId))
      .map(({ metrics }) => metrics[metric] as number);
    const accuracy = clean.reduce((sum, value) => sum + value, 0) / clean.length;
    expect(value).toBe(0.5);
    expect(accuracy).not.toBe(0.5);
    expect(cleanScores(result, entry)[0].value).toBeCloseTo(accuracy, 12);
    const lines = overlapLines(overlap, [result]).join("\n");
    expect(lines).toContain(`| ${value.toFixed(4)} | ${accuracy.toFixed(4)} |`);
    const json = overlapJson(overlap, ["corpus.txt"], [result]) as {
      tasks: Record<string, { overlapping: number; clean: Record<string, number>; overlapping_documents: object[] }>;
    };
    expect(json).toMatchObject({ sources: ["corpus.txt"], ngram: 13, corpus_documents: 3 });
    expect(json.tasks.toy_gsm8k.clean[`${metric},${filter}`]).toBeCloseTo(accuracy, 12);
    expect(json.tasks.toy_gsm8k.overlapping_documents).toHaveLength(ids.length);

    // All of them leaked: there is no clean score, and the table says so.
    const all = { ...entry, overlapping: documents.map((_, docId) => ({ docId, words: "" })) };
    expect(cleanScores(result, all)).toEqual([]);
    expect(overlapLines({ ...overlap, tasks: [all] }, [result]).join("\n")).toContain("| N/A");
  });
});
