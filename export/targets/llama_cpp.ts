/**
 * Stock llama.cpp (and Ollama, LM Studio, node-llama-cpp, wllama). Its `bitnet` graph has a hard-coded gated SiLU,
 * both sub-norms, square q and o projections and a tied head; ternary weights are TQ1_0, TQ2_0 or Q2_0, in the graphs
 * of other families too. It quantizes activations per block of 256, not per token, so its logits agree within a
 * tolerance, not to the bit.
 */
import {
  activationQuantizerOf,
  hasTernaryWeights,
  isFloat,
  isQuantized,
  ownKey,
  weightQuantizerOf,
} from "../../src/config/model_quantizers.ts";
import { checkPackable } from "../../src/config/packing_rules.ts";
import { commonArchitecture } from "../model_metadata.ts";
import { ggufTarget } from "./gguf_target.ts";
import { headNote, joinedNotes } from "./head_note.ts";
import { firstBroken } from "./target.ts";

export const llamaCpp = ggufTarget({
  name: "llama.cpp",
  readsVocabulary: true,
  architecture: commonArchitecture,
  defaultType(config) {
    if (!hasTernaryWeights(config)) return "f32";
    return ["tq2_0", "q2_0"].find((type) => checkPackable(config, type) === null) ?? "tq2_0";
  },
  note(request) {
    const { config, linearType, tableType } = request;
    const block = linearType === "q2_0" ? 32 : 256;
    const linears =
      linearType === "f16" || linearType === "f32"
        ? "llama.cpp does not quantize activations for this type: its logits agree within a tolerance"
        : `llama.cpp quantizes activations per ${block} elements instead of per token: its logits agree within a tolerance`;
    const isNew = linearType === "q2_0" || tableType.name === "Q2_0";
    return joinedNotes(
      isFloat(config) ? null : linears,
      isNew ? "llama.cpp reads Q2_0 from July 2026 on" : null,
      headNote(request, "llama.cpp"),
    );
  },
  refusal({ config, linearType }) {
    const { numAttentionHeads: heads, headDim, hiddenSize, slidingWindow: window } = config;
    const isBitnet = config.normPlacement === "sub";
    const architecture = commonArchitecture(config);
    const key = ownKey(config);
    return firstBroken([
      [key === null, `stock llama.cpp has no graph with ${key}: export with --target bitnet-lab`],
      [
        config.hiddenAct !== "relu2",
        `stock llama.cpp has a hard-coded gated SiLU for such models, and this one has hidden_act: relu2: train with hidden_act: silu, or export with --target ${isBitnet ? "bitnet.cpp" : "bitnet-lab"}`,
      ],
      [
        isBitnet ? isQuantized(config) : weightQuantizerOf(config) !== null || activationQuantizerOf(config) === null,
        isBitnet
          ? "stock llama.cpp's bitnet models have ternary weights and int8 activations: train with weight_quantizer and activation_quantizer both on, or with norm_placement: pre, or export with --target bitnet-lab"
          : "stock llama.cpp quantizes activations for quantized weights only: train with weight_quantizer and activation_quantizer both on or both none, or export with --target bitnet-lab",
      ],
      [
        !isBitnet || config.tieWordEmbeddings,
        "stock llama.cpp's bitnet models have a tied head: train with tie_word_embeddings: true, or export with --target bitnet-lab",
      ],
      [
        !isBitnet || heads * headDim === hiddenSize,
        `stock llama.cpp's bitnet models have square q and o projections: num_attention_heads x head_dim (${heads * headDim}) must be hidden_size (${hiddenSize}), or export with --target bitnet-lab`,
      ],
      [
        config.attentionBias !== "all" || architecture === "llama",
        `stock llama.cpp's ${architecture} models have no attention_bias: export with --target bitnet-lab`,
      ],
      [
        window === null || (window.pattern === 6 && window.ropeTheta === 10000),
        "stock llama.cpp's gemma3 models have sliding_window_pattern: 6 and rope_local_theta: 10000: export with --target bitnet-lab",
      ],
      [
        config.ropeScaling?.type !== "llama3" || architecture === "llama",
        `stock llama.cpp's ${architecture} models have no rope_scaling of type llama3: export with --target bitnet-lab`,
      ],
      [
        linearType !== "i2_s",
        "stock llama.cpp has no I2_S (its number means another type there): use --type tq2_0 or tq1_0",
      ],
    ]);
  },
});
