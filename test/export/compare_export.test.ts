/** The engine on every kind of exported file against the training forward (needs the addon). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { comparisonReport } from "../../cli/export_comparison.ts";
import { exportModel } from "../../export/export_model.ts";
import { planExport } from "../../export/export_plan.ts";
import { sampleText } from "../../export/verify/sample_text.ts";
import { loadAddon } from "../../native/addon.ts";
import { openCheckpoint, parameterReader } from "../../src/checkpoint/checkpoint.ts";
import { writeCheckpoint } from "../../src/checkpoint/write_checkpoint.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import type { ExportType } from "../../src/config/tensor_fit.ts";
import type { EmbeddingDtype } from "../../src/quant/dtypes.ts";
import { titleUnless } from "../support/missing.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "./small_model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "compare-export-"));
afterAll(() => rmSync(folder, { recursive: true }));

function addonIsMissing(): boolean {
  try {
    loadAddon();
    return false;
  } catch {
    return true;
  }
}

/** The report of the comparison; `embeddingType` is that of the training unless given. */
async function compare(type: ExportType, changes: Partial<ModelConfigJson>, embeddingType?: EmbeddingDtype) {
  const config = smallConfig({ num_hidden_layers: 1, ...changes });
  const directory = path.join(folder, "checkpoint");
  const parameters = readerOf(smallParameters(config));
  await writeCheckpoint(directory, { config, tokenizer: smallTokenizer(), parameters });
  const checkpoint = await openCheckpoint(directory);
  const plan = planExport(checkpoint.config, checkpoint.tokenizer, { target: "bitnet-lab", type, embeddingType });
  const file = path.join(folder, "model.gguf");
  await exportModel(plan, file, parameterReader(checkpoint));
  try {
    return await comparisonReport(checkpoint, plan, file, { text: sampleText, textName: "a text" });
  } finally {
    await checkpoint.tensors.close();
  }
}

const float = { weight_quantizer: "none", activation_quantizer: "none" } as const;
const llama = { ...float, hidden_act: "silu", use_sub_norms: false } as const;

describe.skipIf(addonIsMissing())(
  titleUnless(addonIsMissing(), "the addon", "the engine and the training forward"),
  () => {
    it.each<[string, ExportType, Partial<ModelConfigJson>]>([
      ["the default model", "tq2_0", {}],
      ["the default model", "tq1_0", {}],
      ["the default model", "i2_s", {}],
      ["the default model", "f16", {}],
      ["bf16 scales", "bf16", { scale_dtype: "bf16" }],
      ["f32 scales", "i2_s", { scale_dtype: "f32" }],
      ["f32 scales", "f32", { scale_dtype: "f32" }],
      ["bf16 scales and embedding", "tq2_0", { scale_dtype: "bf16", embedding_dtype: "bf16" }],
      ["a q8_0 embedding", "tq2_0", { embedding_dtype: "q8_0" }],
      ["SiLU and an untied head", "tq2_0", { hidden_act: "silu", tie_word_embeddings: false }],
      ["float activations, no sub-norms", "tq1_0", { activation_quantizer: "none", use_sub_norms: false }],
      ["float weights, int8 activations", "f32", { weight_quantizer: "none" }],
      [
        "4-bit activations, norms in every linear layer, a Hadamard transform, no gate",
        "tq2_0",
        {
          activation_quantizer: "absmax_int4",
          norm_placement: "every_linear",
          use_hadamard: true,
          feed_forward: "mlp",
        },
      ],
      ["a float twin", "f32", float],
      ["a Llama", "f32", { ...llama, num_key_value_heads: 1, tie_word_embeddings: false }],
      ["heads wider than hidden_size", "i2_s", { head_dim: 96, num_key_value_heads: 4 }],
    ])("agree to the bit on %s as %s", async (_, type, changes) => {
      const [line, ...rest] = await compare(type, changes);
      expect(line).toMatch(/^verified: 512 log-probabilities identical to the training forward \(native, \w+\)$/);
      expect(line).not.toContain("composed");
      expect(rest).toEqual([]);
    });

    it.each<[string, ExportType, Partial<ModelConfigJson>, EmbeddingDtype?]>([
      ["the embedding is q8_0, trained as f16", "tq2_0", {}, "q8_0"],
      ["the embedding is f32, trained as q8_0", "i2_s", { embedding_dtype: "q8_0" }, "f32"],
      ["the linear weights are rounded to f16, trained as f32", "f16", llama],
      ["the linear weights are rounded to bf16, trained as f32", "bf16", llama],
      ["the linear weights are rounded to q8_0, trained as f32", "q8_0", { weight_quantizer: "none" }],
    ])("agree to the bit on a different model: %s", async (difference, ...args) => {
      const [change, line] = await compare(...args);
      expect(change).toContain(`a different model: ${difference}; loss `);
      expect(change).toMatch(/ nats per token \([+-]\d+(\.\d+)?(e-\d+)?\) on a text$/);
      expect(line).toContain("512 log-probabilities identical");
    });
  },
);
