/** The vectors and models in test/golden/lm_eval. */
import { readFileSync } from "node:fs";
import path from "node:path";

export const goldenDirectory = path.join(import.meta.dirname, "../golden/lm_eval");

function readJson(file: string) {
  return JSON.parse(readFileSync(path.join(goldenDirectory, file), "utf8"));
}

export interface UnitVectors {
  mt19937: { seed: number; getrandbits32: number[]; random: number[]; randbelow_16113: number[] };
  sample: { case: string; seed: number; N: number; k: number; draws: number[][] }[];
  gsm8k_filters: {
    response: string;
    gold: string;
    strict: string;
    flexible: string;
    em_strict: number;
    em_flexible: number;
  }[];
  stop: { text: string; until: string[]; out: string }[];
  stderr: { values: number[]; mean: number; stderr: number }[];
  pooled_stderr: Record<string, unknown>;
  hellaswag_preprocess: { in: string; out: string }[];
  hellaswag_capitalize: { in: string; out: string }[];
  mc: { lls: number[]; choices: string[]; gold: number; acc: number; acc_norm: number }[];
}

export interface ModelVectors {
  encode_default: { text: string; ids: number[] }[];
  encode_no_special: { text: string; ids: number[] }[];
  prompt_ids: number[];
  last_logits: number[];
  nll_prompt: number;
  greedy24: number[];
  greedy24_text: string;
}

export const unitVectors: UnitVectors = readJson("unit_vectors.json");

export type TinyModel = "tiny-llama" | "tiny-bitnet";
export const modelVectors: Record<TinyModel, ModelVectors> = readJson("model_vectors.json");

export const modelDirectory = (model: TinyModel) => path.join(goldenDirectory, "models", model);

/** Largest allowed difference of a log-likelihood, as the README of the vectors states it. */
export function tolerance(model: TinyModel, logLikelihood: number): number {
  return model === "tiny-llama" ? 1e-4 + 2e-6 * Math.abs(logLikelihood) : 2e-3 + 1e-5 * Math.abs(logLikelihood);
}
