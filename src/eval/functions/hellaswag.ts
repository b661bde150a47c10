/** HellaSwag's texts as lm-evaluation-harness cleans them (`tasks/hellaswag/utils.py`). */
import { z } from "zod";
import { checkDocument, type JsonObject } from "../../data/document.ts";
import { capitalize } from "../../python/text_case.ts";
import { strip } from "../../python/whitespace.ts";
import { wholeNumber } from "./document_schema.ts";

const raw = z.object({
  activity_label: z.string(),
  ctx_a: z.string(),
  ctx_b: z.string(),
  endings: z.array(z.string()),
  label: z.union([z.string(), wholeNumber]),
});
const processed = z.object({
  query: z.string(),
  choices: z.array(z.string()),
  gold: wholeNumber.nullish(),
  label: z.union([z.string(), wholeNumber]).nullish(),
});

/** Brackets are what WikiHow's markup left behind. */
export function cleanText(text: string): string {
  return strip(text)
    .replaceAll(" [title]", ". ")
    .replace(/\[[^\n]*?\]/g, "")
    .replaceAll("  ", " ");
}

const isThere = (value: unknown) => value !== undefined && value !== null;

/** Adds `query`, `choices` and `gold`. A document that has them already (and no `ctx_a`) stays as it is. */
export function processDocument(document: JsonObject): JsonObject {
  if (isThere(document.query) && !isThere(document.ctx_a)) {
    const { gold, label } = checkDocument(processed, document);
    return { ...document, label: label ?? gold };
  }
  const { activity_label, ctx_a, ctx_b, endings, label } = checkDocument(raw, document);
  return {
    ...document,
    query: cleanText(`${activity_label}: ${ctx_a} ${capitalize(ctx_b)}`),
    choices: endings.map(cleanText),
    gold: Number(label),
  };
}
