/** HellaSwag's texts as lm-evaluation-harness cleans them (`tasks/hellaswag/utils.py`). */
import { z } from "zod";
import { checkDocument, type JsonObject } from "../../data/document.ts";
import { capitalize } from "../../python/text_case.ts";
import { strip } from "../../python/whitespace.ts";

const raw = z.object({
  activity_label: z.string(),
  ctx_a: z.string(),
  ctx_b: z.string(),
  endings: z.array(z.string()),
  label: z.union([z.string(), z.int()]),
});
const processed = z.object({
  query: z.string(),
  choices: z.array(z.string()),
  gold: z.int().optional(),
  label: z.union([z.string(), z.int()]).optional(),
});

/** Brackets are what WikiHow's markup left behind. */
export function cleanText(text: string): string {
  return strip(text)
    .replaceAll(" [title]", ". ")
    .replace(/\[[^\n]*?\]/g, "")
    .replaceAll("  ", " ");
}

/** Adds `query`, `choices` and `gold`. A document that has them already (and no `ctx_a`) stays as it is. */
export function processDocument(document: JsonObject): JsonObject {
  if (document.query !== undefined && document.ctx_a === undefined) {
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
