/**
 * Which test documents a training corpus has parts of: those with a text (any string of the document) that shares 13
 * successive words with it, or that stands in it as a whole if it has 8 to 12 words (GPT-3, appendix C). And the scores on
 * the other documents.
 */
import type { JsonObject } from "../../data/document.ts";
import { PythonObject } from "../../python/python_object.ts";
import { aggregateSamples, type Score } from "../aggregate.ts";
import type { TaskResult } from "../evaluator.ts";
import { textTable } from "../report/text_table.ts";
import { type IndexedText, NgramIndex } from "./ngram_index.ts";
import { normalizedWords } from "./word_stream.ts";

/** The documents of a task that are scored, in order. */
export interface TestDocuments {
  task: string;
  documents: readonly JsonObject[];
}

export interface OverlappingDocument {
  docId: number;
  /** Words that the corpus has. */
  words: string;
}

export interface TaskOverlap {
  task: string;
  documents: number;
  overlapping: OverlappingDocument[];
  /** No text of theirs has 8 words: nothing is known of them. */
  tooShort: number;
}

export interface Overlap {
  corpusDocuments: number;
  corpusWords: number;
  tasks: TaskOverlap[];
}

/** A part of a corpus document. */
export interface CorpusPart {
  text: string;
  /** The part ends its document. */
  last: boolean;
}

/** Every string in a document, those in lists and objects too. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object" || value instanceof PythonObject) return [];
  return Object.values(value).flatMap(textsOf);
}

interface IndexedDocument {
  texts: string[];
  indexed: IndexedText[];
}

/** Reads the corpus once. @throws the signal's reason when it aborts. */
export async function findOverlap(
  tests: readonly TestDocuments[],
  corpus: AsyncIterable<CorpusPart>,
  signal?: AbortSignal,
): Promise<Overlap> {
  const index = new NgramIndex();
  const indexed = tests.map(({ documents }) =>
    documents.map((document): IndexedDocument => {
      const texts = textsOf(document);
      return { texts, indexed: texts.map((text) => index.add(text)) };
    }),
  );
  let corpusDocuments = 0;
  for await (const { text, last } of corpus) {
    index.scan(text);
    if (last) {
      index.endDocument();
      corpusDocuments++;
    }
    signal?.throwIfAborted();
  }
  const tasks = tests.map(({ task, documents }, t): TaskOverlap => {
    const overlapping = indexed[t].flatMap((document, docId) => {
      const words = sharedWords(document, index);
      return words === null ? [] : [{ docId, words }];
    });
    const tooShort = indexed[t].filter((document) => document.indexed.every(({ grams }) => grams.length === 0)).length;
    return { task, documents: documents.length, overlapping, tooShort };
  });
  return { corpusDocuments, corpusWords: index.corpusWords, tasks };
}

function sharedWords({ texts, indexed }: IndexedDocument, index: NgramIndex): string | null {
  for (const [i, text] of indexed.entries()) {
    const place = index.firstSeen(text);
    if (place >= 0)
      return normalizedWords(texts[i])
        .slice(place, place + text.words)
        .join(" ");
  }
  return null;
}

/** Scores on the documents that the corpus has no part of; none if there are no others. */
export function cleanScores({ task, samples }: TaskResult, { overlapping }: TaskOverlap): Score[] {
  const left = new Set(overlapping.map(({ docId }) => docId));
  const clean = samples.filter(({ docId }) => !left.has(docId));
  return clean.length === 0 ? [] : aggregateSamples(clean, task.metrics);
}

/** Entries of the results file. @param sources what the user named */
export function overlapJson(overlap: Overlap, sources: readonly string[], results: readonly TaskResult[]): object {
  const tasks = overlap.tasks.map((entry) => {
    const result = results.find(({ task }) => task.name === entry.task);
    const scores = result === undefined ? [] : cleanScores(result, entry);
    const clean = scores.flatMap(({ metric, filter, value, standardError }) => [
      [`${metric},${filter}`, value],
      [`${metric}_stderr,${filter}`, standardError ?? "N/A"],
    ]);
    return [
      entry.task,
      {
        documents: entry.documents,
        overlapping: entry.overlapping.length,
        too_short: entry.tooShort,
        clean: Object.fromEntries(clean),
        overlapping_documents: entry.overlapping.map(({ docId, words }) => ({ doc_id: docId, words })),
      },
    ];
  });
  return {
    sources,
    ngram: 13,
    corpus_documents: overlap.corpusDocuments,
    corpus_words: overlap.corpusWords,
    tasks: Object.fromEntries(tasks),
  };
}

/** Of each task, in print; the results file has all. */
const shownExamples = 2;

/** Lines to print. */
export function overlapLines(overlap: Overlap, results: readonly TaskResult[]): string[] {
  const rows = overlap.tasks.flatMap((entry) => {
    const { task, documents, overlapping, tooShort } = entry;
    const share = `${((100 * overlapping.length) / documents).toFixed(2)}%`;
    const counts = [task, String(documents), String(overlapping.length), share, String(tooShort)];
    const result = results.find((candidate) => candidate.task.name === task);
    if (result === undefined) return [[...counts, "", "", ""]];
    const clean = cleanScores(result, entry);
    return result.scores.map(({ metric, filter, value }, i) => {
      const other = clean.find((score) => score.metric === metric && score.filter === filter);
      const name = filter === "none" ? metric : `${metric}, ${filter}`;
      return [...(i === 0 ? counts : ["", "", "", "", ""]), name, value.toFixed(4), other?.value.toFixed(4) ?? "N/A"];
    });
  });
  const header = ["Task", "Documents", "Overlapping", "Share", "Too short", "Metric", "All", "Clean"];
  const words = overlap.corpusWords.toLocaleString("en-US");
  const documents = overlap.corpusDocuments.toLocaleString("en-US");
  const columns = results.length > 0 ? header.length : 5;
  const examples = overlap.tasks.flatMap(({ task, overlapping }) =>
    overlapping.slice(0, shownExamples).map(({ docId, words }) => `${task}, document ${docId}: "${words}"`),
  );
  return [
    `Overlap with ${words} words of ${documents} training document${overlap.corpusDocuments === 1 ? "" : "s"} (13 successive words in common):`,
    ...textTable(
      header.slice(0, columns),
      rows.map((row) => row.slice(0, columns)),
    ),
    ...examples,
  ];
}
