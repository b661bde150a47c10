/** Stock llama.cpp, by the time of its build. */
import { hasTernaryTypes } from "../model_facts.ts";
import { bitnetGraphRule, foldedRule, ggmlRules, hardCodedAct, llamaGraphRule, trainedAct } from "./ggml_rules.ts";
import { ggmlTypes } from "./ggml_types.ts";
import { computes, notKnown, type Question, type Reader, type Rule, refuses } from "./reader.ts";

/** When a type that matters here came. */
const versions = ["2024-06", "2024-09", "2025-08", "2026-04", "2026-07"];

function sizeOf(typeNumber: number, version: number) {
  const type = ggmlTypes.get(typeNumber);
  return type === undefined || (type.since !== undefined && type.since > versions[version]) ? undefined : type;
}

/** Of other programs' files; it has no such graph. */
const foreign = ["bitnet-b1.58", "bitnet-25", "bitnet-lab"];

/** Graphs that it has and that ternary or small models come as. */
const known =
  "llama bitnet qwen2 qwen2moe qwen3 qwen3moe gemma gemma2 gemma3 phi2 phi3 gpt2 gptneox falcon starcoder2 stablelm olmo olmo2 deepseek2 granite smollm3 mistral3 exaone hunyuan-dense";

const architectureRule: Rule = ({ facts: { architecture } }) => {
  if (foreign.includes(architecture)) return refuses(`unknown model architecture: '${architecture}'`);
  return known.split(" ").includes(architecture) ? null : notKnown(`whether it has a graph for "${architecture}"`);
};

const graphRule: Rule = (question) =>
  question.facts.architecture === "bitnet" ? bitnetGraphRule(question) : llamaGraphRule(question);

/** Whatever a key says. */
const hardCodedActs = new Map([
  ...["bitnet", "llama", "qwen2", "qwen3"].map((architecture) => [architecture, "silu"] as const),
  ["gemma3", "gelu_tanh"] as const,
]);

const actRule: Rule = (question) => {
  const act = hardCodedActs.get(question.facts.architecture);
  return act === undefined ? null : hardCodedAct(question, act);
};

function remark(question: Question) {
  const { facts } = question;
  const isBitnet = facts.architecture === "bitnet";
  const unsaid =
    isBitnet && trainedAct(question) === null ? "with gated SiLU: nothing says whether the model was trained so; " : "";
  const activations = hasTernaryTypes(facts)
    ? "activations are quantized per 256 elements instead of per token"
    : isBitnet
      ? "activations are not quantized for these types"
      : "";
  return activations === "" ? null : computes(`${unsaid}${activations}: logits agree within a tolerance`);
}

export const llamaCpp: Reader = {
  name: "llama.cpp",
  versions,
  rules: [
    ...ggmlRules("llama.cpp", sizeOf, (typeNumber) => ggmlTypes.get(typeNumber)?.since),
    architectureRule,
    foldedRule,
    graphRule,
    actRule,
    remark,
  ],
  sources: [
    "ggml-org/llama.cpp ggml/src/gguf.cpp, src/models/bitnet.cpp",
    "ggml-org/llama.cpp #8151 (TQ1_0, TQ2_0), #24448 (Q2_0), #25824, #25885 (SiLU), #29058 (folded weights)",
  ],
};
