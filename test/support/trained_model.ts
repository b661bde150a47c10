/** A small BitNet trained for a few steps on the generated world: weights with the statistics of a real run. */
import * as tf from "@tensorflow/tfjs";
import { type ModelConfigJson, modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { adamWStep } from "../../src/ops/adamw_step.ts";
import { byteLevelTokenizer } from "../../src/tokenizer/byte_level_tokenizer.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { generateWorld } from "../../src/world/generator.ts";

export interface TrainedModel {
  model: CausalLM;
  tokenizer: Tokenizer;
  /** Token ids of world text that was not trained on. */
  heldOutIds: Int32Array;
}

/** Three layers with grouped-query attention; widths are multiples of 256, so that every export type packs it. */
export const smallShape: Omit<ModelConfigJson, "vocab_size"> = {
  hidden_size: 256,
  num_hidden_layers: 3,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  intermediate_size: 512,
  max_position_embeddings: 512,
};

/** @returns documents of the generated world */
function worldText(): string {
  return [...generateWorld().trainingDocuments(400)].join("\n\n");
}

/** Trains with AdamW on the current tfjs backend. Dispose of `model` when done. @param text long enough for the steps */
export function trainSmallModel(keys: Partial<ModelConfigJson> = {}, steps = 12, text = worldText()): TrainedModel {
  const tokenizer = byteLevelTokenizer({ eosToken: "<|end_of_text|>" });
  const config = resolveModelConfig(
    modelConfigSchema.parse({ ...smallShape, ...keys, vocab_size: tokenizer.vocabSize }),
  );
  const ids = Int32Array.from(tokenizer.encode(text, { addSpecialTokens: false }));
  const model = new CausalLM(config, { seed: 1 });
  const [batch, length] = [8, 64];
  const moments = [...model.parameters.values()].map((p) => [
    tf.variable(tf.zerosLike(p)),
    tf.variable(tf.zerosLike(p)),
  ]);
  for (let step = 1; step <= steps; step++) {
    const start = (step - 1) * batch * (length + 1);
    const rows = Array.from({ length: batch }, (_, b) => start + b * (length + 1));
    const inputs = rows.flatMap((at) => [...ids.subarray(at, at + length)]);
    const targets = rows.flatMap((at) => [...ids.subarray(at + 1, at + 1 + length)]);
    tf.tidy(() => {
      const variables = [...model.parameters.values()];
      const { grads } = tf.variableGrads(
        () => model.loss(tf.tensor2d(inputs, [batch, length], "int32"), tf.tensor2d(targets, [batch, length], "int32")),
        variables,
      );
      const updates = variables.map((param, i) => {
        const [m, v] = moments[i]!;
        return { param, grad: grads[param.name]!, m: m!, v: v!, weightDecay: 0.1 };
      });
      adamWStep(updates, { learningRate: 2e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, step, gradScale: 1 });
    });
  }
  tf.dispose(moments.flat());
  return { model, tokenizer, heldOutIds: ids.subarray(steps * batch * (length + 1)) };
}
