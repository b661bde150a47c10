/** HumanEval: completions become programs, which a Python process runs against the unit tests. */
import type { JsonObject } from "../../data/document.ts";
import { runPythonTest } from "./python_test.ts";

/** The whole function: lm-evaluation-harness's `build_predictions`. */
export function buildPrediction(response: string, document: JsonObject): string {
  return String(document.prompt) + response;
}

/**
 * `pass@k` of the candidates: 1 - C(n - c, k) / C(n, k) with c of n candidates right (Chen et al., 2021).
 * @param tests Python code that fails if a candidate is wrong
 */
export async function passAtK(
  candidates: unknown,
  tests: string,
  ks: readonly number[],
): Promise<Record<string, number>> {
  const programs = candidates as readonly string[];
  let passed = 0;
  for (const program of programs) if (await runPythonTest(`${program}\n${tests}`)) passed++;
  const estimate = (k: number) => {
    if (programs.length - passed < k) return 1;
    let failing = 1;
    for (let i = programs.length - passed + 1; i <= programs.length; i++) failing *= 1 - k / i;
    return 1 - failing;
  };
  return Object.fromEntries(ks.map((k) => [`pass@${k}`, estimate(k)]));
}
