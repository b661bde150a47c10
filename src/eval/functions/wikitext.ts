/** WikiText's pages as running text, and what their perplexity is divided by (`tasks/wikitext/preprocess_wikitext.py`). */
import { z } from "zod";
import { checkDocument, type JsonObject } from "../../data/document.ts";
import { countWords, whitespaceClass } from "../../python/whitespace.ts";
import type { Metrics } from "../schema/sample_metric.ts";

const schema = z.object({ page: z.string() });

/** Runs of Python's whitespace inside a pair of marks, at its ends, are dropped. */
function tight(open: string, inner: string, close: string): RegExp {
  return new RegExp(`${open}[${whitespaceClass}]*(${inner}*?)[${whitespaceClass}]*${close}`, "g");
}

const pairs: readonly [RegExp, string][] = [
  [tight("\\(", "[^)]", "\\)"), "($1)"],
  [tight("\\[", "[^\\]]", "\\]"), "[$1]"],
  [tight("\\{", "[^}]", "\\}"), "{$1}"],
  [tight('"', '[^"]', '"'), '"$1"'],
  [tight("'", "[^']", "'"), "'$1'"],
];

/** In order; every one works on what the one before left. */
const beforePairs: readonly [string, string][] = [
  [" @-@ ", "-"],
  [" @,@ ", ","],
  [" @.@ ", "."],
  [" : ", ": "],
  [" ; ", "; "],
  [" . ", ". "],
  [" ! ", "! "],
  [" ? ", "? "],
  [" , ", ", "],
];
const afterPairs: readonly [string, string][] = [
  ["= = = =", "===="],
  ["= = =", "==="],
  ["= =", "=="],
  [" ° ", "°"],
  [" \n", "\n"],
  ["\n ", "\n"],
  [" N ", " 1 "],
  [" 's", "'s"],
];

function replaceAll(text: string, replacements: readonly [string, string][]): string {
  return replacements.reduce((rest, [from, to]) => rest.replaceAll(from, to), text);
}

export function detokenize(document: JsonObject): string {
  const { page } = checkDocument(schema, document);
  // The second pattern is lm-evaluation-harness's, slashes and all.
  const contracted = page.replaceAll("s '", "s'").replace(/\/' [0-9]\//g, "/'[0-9]/");
  const paired = pairs.reduce(
    (rest, [pattern, replacement]) => rest.replace(pattern, replacement),
    replaceAll(contracted, beforePairs),
  );
  return replaceAll(paired, afterPairs);
}

export function processResults(document: JsonObject, [logLikelihood]: readonly unknown[]): Metrics {
  const { page } = checkDocument(schema, document);
  const value = logLikelihood as number;
  const bytes = Buffer.byteLength(page);
  return {
    word_perplexity: [value, countWords(page)],
    byte_perplexity: [value, bytes],
    bits_per_byte: [value, bytes],
  };
}
