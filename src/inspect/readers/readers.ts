/** The readers that are known, and what each of them does with a model. */
import { type Evidence, type ModelFacts, noEvidence } from "../model_facts.ts";
import { bitnetCppArm, bitnetCppX86 } from "./bitnet_cpp.ts";
import { bitnetLab } from "./bitnet_lab.ts";
import { llamaCpp } from "./llama_cpp.ts";
import { type Reader, type Verdict, verdictsOf } from "./reader.ts";
import { transformers } from "./transformers.ts";
import { lmStudio, ollama } from "./with_llama_cpp.ts";

export const readers: readonly Reader[] = [
  bitnetLab,
  llamaCpp,
  bitnetCppX86,
  bitnetCppArm,
  transformers,
  ollama,
  lmStudio,
];

export function allVerdicts(facts: ModelFacts, evidence: Evidence = noEvidence): Verdict[] {
  return readers.flatMap((reader) => verdictsOf(reader, facts, evidence));
}
