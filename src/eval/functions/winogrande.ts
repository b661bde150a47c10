/** WinoGrande: each option fills the blank, what follows the blank is scored (`tasks/winogrande`). */
import { z } from "zod";
import { checkDocument, DocumentError, type JsonObject } from "../../data/document.ts";
import { strip } from "../../python/whitespace.ts";
import { wholeNumber } from "./document_schema.ts";

const schema = z.object({
  sentence: z.string(),
  option1: z.string(),
  option2: z.string(),
  answer: z.union([z.string(), wholeNumber]),
});

function blankAt(sentence: string): number {
  const at = sentence.indexOf("_");
  if (at < 0) throw new DocumentError(`field "sentence": there is no blank (_) in it`);
  return at;
}

/** Index of the right option: the contexts are the choices. */
export function docToText(document: JsonObject): number {
  const { answer } = checkDocument(schema, document);
  const index = ["1", "2"].indexOf(String(answer));
  if (index < 0) throw new DocumentError(`field "answer": must be 1 or 2, not "${answer}"`);
  return index;
}

export function docToTarget(document: JsonObject): string {
  const { sentence } = checkDocument(schema, document);
  return strip(sentence.slice(blankAt(sentence) + 1));
}

export function docToChoice(document: JsonObject): string[] {
  const { sentence, option1, option2 } = checkDocument(schema, document);
  return [option1, option2].map((option) => sentence.slice(0, blankAt(sentence)) + option);
}
