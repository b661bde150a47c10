/** Hugging Face transformers (4.52, which brought BitNet, to 5): folders, and GGUF files of a few architectures. */
import { defaultActivationQuantizer, defaultWeightQuantizer } from "../../quantizers/registry.ts";
import type { FolderFacts } from "../model_facts.ts";
import { ggmlTypes } from "./ggml_types.ts";
import { computes, computesElse, notKnown, type Reader, type Rule, refuses } from "./reader.ts";

/** Architectures of GGUF files that it turns into modules (modeling_gguf_pytorch_utils.py), those that matter here. */
const ggufArchitectures =
  "llama mistral qwen2 qwen2moe qwen3 qwen3moe phi3 bloom falcon stablelm gpt2 starcoder2 mamba gemma2 gemma3";

/** Classes that it has and that ternary or small models come as. */
const classes = /^(?:BitNet|Llama|Qwen[23](?:Moe)?|Gemma[23]?|Mistral|Phi3?|GPT2|GPTNeoX|SmolLM3|Falcon)ForCausalLM$/;

const ggufRule: Rule = ({ facts: { gguf, architecture, subNorms } }) => {
  if (gguf === null) return null;
  if (!gguf.littleEndian) return refuses("big-endian GGUF");
  if (!ggufArchitectures.split(" ").includes(architecture)) {
    return refuses(`"GGUF model with architecture ${architecture} is not supported yet"`);
  }
  const unknown = gguf.placed.find(({ typeNumber }) => typeNumber > 39 || !ggmlTypes.has(typeNumber));
  if (unknown !== undefined) return refuses(`gguf (PyPI) does not know type ${unknown.typeNumber} of ${unknown.name}`);
  if (gguf.isFolded) return computesElse("the weights are folded with a Hadamard rotation, which it leaves out");
  if (subNorms.attention + subNorms.feedForward > 0)
    return computesElse(`its ${architecture} graph has no sub-norms: it leaves those of the file out`);
  return computes("it dequantizes the weights and quantizes no activations: logits agree within a tolerance");
};

/** A rule of folders alone. */
function ofFolder(rule: (folder: FolderFacts, question: Parameters<Rule>[0]) => ReturnType<Rule>): Rule {
  return (question) => (question.facts.folder === null ? null : rule(question.facts.folder, question));
}

const isBitnet = ({ className, modelType }: FolderFacts) =>
  className === "BitNetForCausalLM" || (className === null && modelType === "bitnet");

const classRule = ofFolder(({ className, modelType }) => {
  if (modelType === "bitnet-lab") return refuses("model_type bitnet-lab: a graph that only bitnet-lab has");
  if (className === null) return null;
  return classes.test(className) ? null : notKnown(`whether it has the class ${className}`);
});

const shapeRule = ofFolder((_, { facts: { sizes, embeddingRows } }) => {
  const { vocabulary } = sizes;
  if (vocabulary === null || embeddingRows === null || vocabulary === embeddingRows) return null;
  return refuses(`size mismatch: the embedding has ${embeddingRows} rows, config.json a vocab_size of ${vocabulary}`);
});

/** BitLinear has packed codes whatever the mode; AutoBitLinear has floats, into which it unpacks codes if it is offline. */
const storageRule = ofFolder(({ isPacked, quantization }) => {
  if (quantization === null) {
    return isPacked
      ? refuses("size mismatch: the weights are packed codes, and config.json has no quantization_config")
      : null;
  }
  const { linearClass, mode } = quantization;
  const isAuto = linearClass === "autobitlinear";
  if (isPacked && isAuto && mode !== "offline") {
    return refuses("size mismatch: the weights are packed codes, and quantization_mode online expects latent ones");
  }
  if (isPacked || (isAuto && mode !== "offline")) return null;
  return isAuto
    ? computesElse(
        "quantization_config says packed codes (offline), and the weights are not packed: it multiplies by them as they are, and rounds none to a ternary one",
      )
    : refuses(`size mismatch: ${linearClass} has packed codes, and the weights are not packed`);
});

const subNormRule = ofFolder((folder, { facts: { subNorms, sizes } }) => {
  const { attention, feedForward } = subNorms;
  const layers = sizes.layers ?? 0;
  if (isBitnet(folder)) {
    if (attention >= layers && feedForward >= layers) return null;
    return computesElse(
      `BitNetForCausalLM always has attn_sub_norm and ffn_sub_norm: it puts new ones with gain 1 where the file has none (${attention} and ${feedForward} of ${layers} layers have them), with a warning`,
    );
  }
  if (attention + feedForward === 0) return null;
  return computesElse(
    `${folder.className ?? folder.modelType} has no sub-norms: it leaves those of the file out, as unexpected keys`,
  );
});

const scaleRule = ofFolder(({ isPacked, quantization }, { evidence: { scaleMeaning } }) => {
  if (!isPacked || scaleMeaning === null || quantization === null) return null;
  const { linearClass } = quantization;
  const stated = linearClass === "autobitlinear" ? "multiplies" : "divides";
  if (scaleMeaning.name === stated) return null;
  return computesElse(
    `${linearClass} ${stated} by weight_scale (linear_class), and the values are for one that ${scaleMeaning.name}: ${scaleMeaning.why}`,
  );
});

const quantizationRule = ofFolder((folder) => {
  const { quantization, own, isPacked } = folder;
  if (quantization === null) {
    const isQuantized = own === null ? isBitnet(folder) : own.weights !== null;
    return isQuantized
      ? computesElse(
          "without quantization_config its linear layers are float ones: nothing is quantized (huggingface/transformers #47957)",
        )
      : null;
  }
  const pairs = [
    [isPacked ? undefined : own?.weights, defaultWeightQuantizer],
    [own?.activations, defaultActivationQuantizer],
  ];
  const [other] = pairs.find(([name, usual]) => name !== undefined && name !== usual) ?? [];
  if (other === undefined) return null;
  return computesElse(
    `absmean ternary weights and absmax int8 activations; the model has ${other ?? "one of them only"}`,
  );
});

export const transformers: Reader = {
  name: "transformers",
  versions: ["4.52"],
  rules: [ggufRule, classRule, shapeRule, storageRule, subNormRule, scaleRule, quantizationRule],
  sources: [
    "huggingface/transformers src/transformers/integrations/bitnet.py (BitLinear divides, AutoBitLinear multiplies), models/bitnet",
    "huggingface/transformers #47957; ml-explore/mlx-lm #268",
  ],
};
