/**
 * The functions that task files may name with `!function`: a closed list, one for each role. What a task of
 * lm-evaluation-harness does in Python is done beforehand, to its data (docs/evaluation.md).
 */

import type { JsonObject } from "../../data/document.ts";
import { nearestHint } from "../../errors/nearest_name.ts";
import type { Metrics, SampleMetric } from "../schema/sample_metric.ts";
import { TaskRuleError } from "../schema/task_rule_error.ts";
import { processDocument as processHellaswag } from "./hellaswag.ts";
import { buildPrediction, passAtK } from "./humaneval.ts";
import { instructionLevelAccuracy, processDocument as processIfeval, processResults } from "./ifeval.ts";
import { processResultsMc2 } from "./truthfulqa.ts";
import { detokenize, processResults as processWikitext } from "./wikitext.ts";
import { docToChoice, docToTarget, docToText } from "./winogrande.ts";

export interface FunctionRoles {
  /** One document, changed; null leaves it out. */
  process_docs: (document: JsonObject) => JsonObject | null;
  /** `doc_to_text`, `doc_to_target`, `doc_to_choice`. */
  field: (document: JsonObject) => unknown;
  /** Metrics of a document from the answers to its requests. */
  process_results: (document: JsonObject, results: readonly unknown[]) => Metrics;
  aggregation: (values: readonly SampleMetric[]) => number;
  /** What each response becomes. */
  filter: (response: string, document: JsonObject) => unknown;
  /** Named scores of the filtered responses, a list where the filter leaves several. */
  metric: (responses: unknown, target: string, ks: readonly number[]) => Promise<Record<string, number>>;
}

const functions: { [Role in keyof FunctionRoles]: Record<string, FunctionRoles[Role]> } = {
  process_docs: { "hellaswag.process_docs": processHellaswag, "ifeval.process_docs": processIfeval },
  field: {
    "winogrande.doc_to_text": docToText,
    "winogrande.doc_to_target": docToTarget,
    "winogrande.doc_to_choice": docToChoice,
    "wikitext.detokenize": detokenize,
  },
  process_results: {
    "truthfulqa.process_results_mc2": processResultsMc2,
    "wikitext.process_results": processWikitext,
    "ifeval.process_results": processResults,
  },
  aggregation: { "ifeval.agg_inst_level_acc": instructionLevelAccuracy },
  filter: { "humaneval.build_predictions": buildPrediction },
  metric: { "humaneval.pass_at_k": passAtK },
};

/** @throws {TaskRuleError} listing the functions of that role. */
export function namedFunction<Role extends keyof FunctionRoles>(role: Role, name: string): FunctionRoles[Role] {
  const known = functions[role];
  if (Object.hasOwn(known, name)) return known[name];
  const names = Object.keys(known);
  throw new TaskRuleError(
    `unknown function "${name}"${nearestHint(name, names)} (there are ${names.join(", ")}; Python is not ` +
      `run: docs/evaluation.md, "Tasks of your own")`,
  );
}
