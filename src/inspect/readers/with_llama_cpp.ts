/** Ollama and LM Studio: programs around llama.cpp, which read GGUF files as the llama.cpp in them does. */
import type { ModelFacts } from "../model_facts.ts";
import { llamaCpp } from "./llama_cpp.ts";
import { notKnown, type Reader, type Rule, refuses } from "./reader.ts";

/** llama.cpp's own rules, in the versions that a program of our days has in it. */
const versions = llamaCpp.versions.filter((version) => version >= "2026-04");
const skipped = llamaCpp.versions.length - versions.length;

const asLlamaCpp: readonly Rule[] = llamaCpp.rules.map(
  (rule): Rule =>
    (question) =>
      rule({ ...question, version: question.version + skipped }),
);

function program(name: string, folderRule: (facts: ModelFacts) => ReturnType<Rule>, sources: string[]): Reader {
  return {
    name,
    versions: versions.map((version) => `llama.cpp of ${version}`),
    rules: [({ facts }) => (facts.container === "gguf" ? null : folderRule(facts)), ...asLlamaCpp],
    sources,
  };
}

const isBitnet = ({ architecture }: ModelFacts) => /bitnet/i.test(architecture);

export const ollama = program(
  "Ollama",
  (facts) =>
    isBitnet(facts)
      ? refuses(`ollama create converts safetensors of a few classes, ${facts.architecture} is none of them`)
      : notKnown("ollama create converts safetensors of a few classes, as float models"),
  ["ollama/ollama #10334, #10481, #10313"],
);

export const lmStudio = program("LM Studio", () => notKnown("it reads safetensors with MLX on Apple machines only"), [
  "lmstudio-ai/lmstudio-bug-tracker #598",
]);
