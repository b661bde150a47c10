/** What a weight quantizer learns, from the weights as they are now: the first values at the end of a stage without it. */
import * as tf from "@tensorflow/tfjs";
import type { CausalLM } from "../../src/model/causal_lm.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import { float32Values } from "../../src/ops/tensor_access.ts";

export function beginLearning({ config, parameters }: Pick<CausalLM, "config" | "parameters">): void {
  for (const { name, learnt } of modelParameters(config)) {
    if (!learnt) continue;
    const variable = parameters.get(name)!;
    const values = learnt.initial(float32Values(parameters.get(learnt.matrix.name)!));
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, "float32")));
  }
}
