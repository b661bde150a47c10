/** IFEval's metrics (`tasks/ifeval/utils.py`): does a response follow its instructions, strictly and loosely. */
import { z } from "zod";
import { checkDocument, DocumentError, type JsonObject } from "../../data/document.ts";
import { RegexError } from "../../python/regex.ts";
import { isTruthy, PythonFloat } from "../../python/values.ts";
import { strip } from "../../python/whitespace.ts";
import type { Metrics, SampleMetric } from "../schema/sample_metric.ts";
import { type CheckArguments, instructionChecks } from "./ifeval_checks.ts";

const schema = z.object({
  prompt: z.string(),
  instruction_id_list: z.array(z.string()),
  kwargs: z.array(z.record(z.string(), z.unknown())),
});

interface Instruction {
  id: string;
  args: CheckArguments;
}

function instructions(document: JsonObject): Instruction[] {
  const { instruction_id_list, kwargs } = checkDocument(schema, document);
  if (kwargs.length !== instruction_id_list.length) {
    throw new DocumentError(`field "kwargs": ${kwargs.length} entries for ${instruction_id_list.length} instructions`);
  }
  return instruction_id_list.map((id, i) => ({
    id,
    args: Object.fromEntries(
      Object.entries(kwargs[i])
        .filter(([, value]) => isTruthy(value))
        .map(([name, value]) => [name, value instanceof PythonFloat ? value.value : value]),
    ),
  }));
}

/** False if lm-evaluation-harness's own verdict would be a trained model's or drawn at random. */
function isCheckable({ id, args }: Instruction): boolean {
  const check = instructionChecks[id];
  if (check === undefined || check.needs.some((name) => !(name in args))) return false;
  return id !== "keywords:letter_frequency" || /^[a-z]$/i.test(String(args.letter));
}

/** Leaves out documents with an instruction that cannot be checked here. */
export function processDocument(document: JsonObject): JsonObject | null {
  return instructions(document).every(isCheckable) ? document : null;
}

/** The response, and what is left without its first line, its last line, both, and without asterisks. */
function looseForms(response: string): string[] {
  const lines = response.split("\n");
  const forms = [lines, lines.slice(1), lines.slice(0, -1), lines.slice(1, -1)].map((part, i) =>
    i === 0 ? response : strip(part.join("\n")),
  );
  return [...forms, ...forms.map((form) => form.replaceAll("*", ""))];
}

export function processResults(document: JsonObject, [response]: readonly unknown[]): Metrics {
  const text = String(response);
  const follows = (form: string, { id, args }: Instruction) =>
    strip(form) !== "" && instructionChecks[id].isFollowed(form, args);
  try {
    const list = instructions(document);
    const strict = list.map((instruction) => follows(text, instruction));
    const forms = looseForms(text);
    const loose = list.map((instruction) => forms.some((form) => follows(form, instruction)));
    return {
      prompt_level_strict_acc: Number(strict.every(Boolean)),
      inst_level_strict_acc: strict,
      prompt_level_loose_acc: Number(loose.every(Boolean)),
      inst_level_loose_acc: loose,
    };
  } catch (error) {
    if (error instanceof RegexError) throw new DocumentError(`field "kwargs": ${error.message}`);
    throw error;
  }
}

/** Share of all instructions of all documents that were followed. */
export function instructionLevelAccuracy(values: readonly SampleMetric[]): number {
  const all = (values as readonly (readonly boolean[])[]).flat();
  return all.filter(Boolean).length / all.length;
}
