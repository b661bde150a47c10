/** Answers of Python and lm-evaluation-harness: test/golden/lm_eval/task_vectors.json (made by lm_eval_vectors.py). */
import { readFileSync } from "node:fs";
import path from "node:path";
import { goldenDirectory } from "./golden_lm_eval.ts";

export interface TaskVectors {
  document: Record<string, unknown>;
  templates: { template: string; text: string }[];
  regex: { pattern: string; text: string; matches: string[]; removed: string }[];
  literals: { text: string; value: unknown }[];
  ifeval: { id: string; args: Record<string, unknown>; response: string; verdict: [number, number] }[];
  hellaswag: { text: string; clean: string }[];
  wikitext: { page: string; text: string; metrics: Record<string, [number, number]> }[];
  mc2: { doc: Record<string, unknown>; lls: number[]; acc: number };
  groups: {
    values: number[];
    sizes: number[];
    stderrs: number[];
    weighted: [number, number];
    unweighted: [number, number];
  }[];
  bootstrap: { values: number[]; iters: number; perplexity: number; stderr: number };
  exact_match: { a: string; b: string; settings: Record<string, unknown>; equal: number }[];
}

export const taskVectors: TaskVectors = JSON.parse(
  readFileSync(path.join(goldenDirectory, "task_vectors.json"), "utf8"),
);
