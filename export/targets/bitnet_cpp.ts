/**
 * bitnet.cpp, Microsoft's fork of llama.cpp. Its `bitnet-b1.58` graph is that of the official 2B4T model: gated
 * relu^2, both sub-norms, tied head, int8 activations per token, I2_S weights. Its `bitnet` graph, the only one before
 * 2025, has gated SiLU instead; the llama.cpp that it takes since July 2026 has but that one for both names.
 *
 * I2_S is written in the order of its default x86 build (`ACT_PARALLEL`); x86 without that (four rows interleaved) and ARM
 * have other orders under the same type.
 */
import { isQuantized, ownKey } from "../../src/config/model_quantizers.ts";
import { ggufTarget } from "./gguf_target.ts";
import { headNote, joinedNotes } from "./head_note.ts";
import { firstBroken } from "./target.ts";

export const bitnetCpp = ggufTarget({
  name: "bitnet.cpp",
  readsVocabulary: true,
  defaultType: () => "i2_s",
  note: (request) =>
    joinedNotes(
      request.config.hiddenAct === "relu2"
        ? "bitnet.cpp from July 2026 on computes this model with SiLU (microsoft/BitNet issue 588): use a version of April 2025 to March 2026 (commit 01eb415)"
        : null,
      headNote(request, "bitnet.cpp"),
    ),
  refusal({ config, linearType, tableType }) {
    const { numAttentionHeads: heads, headDim, hiddenSize } = config;
    const key = ownKey(config);
    return firstBroken([
      [key === null, `bitnet.cpp has no graph with ${key}: export with --target bitnet-lab`],
      [
        isQuantized(config),
        "bitnet.cpp runs ternary weights with int8 activations only: train with both quantizers on, or export with --target bitnet-lab",
      ],
      [
        config.normPlacement === "sub",
        "bitnet.cpp's bitnet graphs have both sub-norms: train with norm_placement: sub, or export with --target bitnet-lab",
      ],
      [
        config.tieWordEmbeddings,
        "bitnet.cpp's bitnet models have a tied head: train with tie_word_embeddings: true, or export with --target bitnet-lab",
      ],
      [
        heads * headDim === hiddenSize,
        `bitnet.cpp's models have square q and o projections: num_attention_heads x head_dim (${heads * headDim}) must be hidden_size (${hiddenSize}), or export with --target bitnet-lab`,
      ],
      [tableType.name !== "Q2_0", "bitnet.cpp has no Q2_0 (type 42): use --embedding-type f16"],
      [linearType === "i2_s", `bitnet.cpp's kernels read I2_S, not ${linearType}: use --type i2_s`],
    ]);
  },
});
