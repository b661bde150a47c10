/** A language model's training step on the native backend: every fused kernel runs, gradients agree, nothing grows. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import {
  fusedKernelNames,
  type NativeBackend,
  nativeKernelLog,
  registerNativeBackend,
  resetKernelLog,
} from "../../../native/backend/index.ts";
import { modelConfigSchema, resolveModelConfig } from "../../../src/config/model_config.ts";
import { CausalLM } from "../../../src/model/causal_lm.ts";
import { adamWStep } from "../../../src/ops/adamw_step.ts";
import { globalNormSquared } from "../../../src/ops/global_norm_squared.ts";
import { titleUnless } from "../../support/missing.ts";
import { bits, randomInteger, randomSource, withoutAddon } from "./support.ts";

/** What the model's operations look up; composed operations take the place of one that is missing, silently. */
const contract = [
  "BitLinear",
  "BitLinearGrad",
  "RMSNorm",
  "RMSNormGrad",
  "CausalAttention",
  "CausalAttentionGrad",
  "GatedActivation",
  "GatedActivationGrad",
  "RoundToDtype",
  "EmbeddingGather",
  "EmbeddingGatherGrad",
  "HeadLogProbs",
  "HeadLogProbsGrad",
  "HeadLogits",
  "TernaryCodes",
  "AdamWStep",
  "GlobalNormSquared",
];

/** What only models of other graphs look up. */
const otherGraphs = [
  "SquaredRelu",
  "SquaredReluGrad",
  "Hadamard",
  "ConcatColumns",
  "SplitColumns",
  "HeadNorm",
  "HeadNormGrad",
];

const shape = {
  hidden_size: 32,
  num_hidden_layers: 2,
  intermediate_size: 48,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 53,
};
const floatTwin = { ...shape, weight_quantizer: "none", activation_quantizer: "none", embedding_dtype: "f32" } as const;

function makeModel(json: object): CausalLM {
  return new CausalLM(resolveModelConfig(modelConfigSchema.parse(json)), { seed: 3 });
}

function makeBatch(): { ids: tf.Tensor2D; targets: tf.Tensor2D } {
  const random = randomSource(8);
  const draw = () => Int32Array.from({ length: 3 * 21 }, () => randomInteger(random, 0, 52));
  return { ids: tf.tensor2d(draw(), [3, 21], "int32"), targets: tf.tensor2d(draw(), [3, 21], "int32") };
}

/** Loss and gradients by parameter name. */
function lossAndGradients(model: CausalLM): Map<string, Float32Array> {
  const result = new Map<string, Float32Array>();
  tf.tidy(() => {
    const { ids, targets } = makeBatch();
    const { value, grads } = tf.variableGrads(() => model.loss(ids, targets), [...model.parameters.values()]);
    result.set("loss", value.dataSync() as Float32Array);
    for (const [name, variable] of model.parameters) result.set(name, grads[variable.name].dataSync() as Float32Array);
  });
  return result;
}

/** |actual - expected| / |expected|, Euclidean. */
function relativeDistance(actual: Float32Array, expected: Float32Array): number {
  let [difference, norm] = [0, 0];
  expected.forEach((value, i) => {
    difference += (actual[i] - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / (norm || 1));
}

describe.skipIf(withoutAddon)(
  titleUnless(withoutAddon, "the native addon", "a training step on the native backend"),
  () => {
    beforeAll(async () => {
      registerNativeBackend();
      await tf.setBackend("native");
    });

    /** One optimizer step. */
    function makeStep(model: CausalLM): (step: number) => void {
      const variables = [...model.parameters.values()];
      const moments = variables.map(({ shape }) => [tf.variable(tf.zeros(shape)), tf.variable(tf.zeros(shape))]);
      const { ids, targets } = makeBatch();
      const settings = { learningRate: 1e-2, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, gradScale: 1 };
      return (step) =>
        tf.tidy(() => {
          const { grads } = tf.variableGrads(() => model.loss(ids, targets), variables);
          globalNormSquared(variables.map(({ name }) => grads[name]));
          const updates = variables.map((param, i) => {
            const [m, v] = moments[i];
            return { param, grad: grads[param.name], m, v, weightDecay: 0.1 };
          });
          adamWStep(updates, { ...settings, step });
        });
    }

    it("registers every fused kernel of the model's operations", () => {
      expect([...fusedKernelNames].sort()).toEqual([...contract, ...otherGraphs].sort());
    });

    it("runs them all: none falls back to composed operations", () => {
      resetKernelLog();
      const model = makeModel(shape);
      makeStep(model)(1);
      const ran = nativeKernelLog().calls;
      // The gate runs inside BitLinear, the loss with its gradient; the others are for evaluation and export.
      const apart = ["GatedActivation", "GatedActivationGrad", "HeadLogProbs", "HeadLogits", "TernaryCodes"];
      expect(contract.filter((name) => !apart.includes(name) && !ran.has(name))).toEqual([]);
      // q|k|v, o, gate|up, down of two layers, and their gradients.
      expect(ran.get("BitLinear")).toBe(8);
      expect(ran.get("BitLinearGrad")).toBe(8);
      expect(ran.get("RMSNormGrad")).toBe(1); // the final norm; the others run inside BitLinear
      model.dispose();
    });

    it("runs those of other graphs inside BitLinear, too, and joins columns itself", () => {
      resetKernelLog();
      const keys = { norm_placement: "every_linear", feed_forward: "mlp", use_hadamard: true } as const;
      const model = makeModel({ ...shape, ...keys });
      makeStep(model)(1);
      const ran = nativeKernelLog().calls;
      // q, k, v, o, up, down of two layers; of q, k, v each.
      expect(["BitLinear", "ConcatColumns", "SplitColumns"].map((name) => ran.get(name))).toEqual([12, 2, 2]);
      expect(["SquaredRelu", "Hadamard", "Concat"].map((name) => ran.has(name))).toEqual([false, false, false]);
      model.dispose();
    });

    it.each([
      ["the float twin", floatTwin, 1e-4],
      [
        "every norm, Hadamard, no gate, float",
        { ...floatTwin, norm_placement: "every_linear", feed_forward: "mlp", use_hadamard: true },
        1e-4,
      ],
      [
        "SiLU, no sub-norms, untied head",
        { ...floatTwin, hidden_act: "silu", use_sub_norms: false, tie_word_embeddings: false },
        1e-4,
      ],
      // A float sum of another order may flip an int8 code, so agreement of the quantized model is looser.
      ["the quantized model", { ...shape, scale_dtype: "f32" }, 1e-2],
    ] as [string, object, number][])(
      "gradients of %s agree with composed cpu operations",
      async (_name, json, tolerance) => {
        const native = lossAndGradients(makeModel(json));
        await tf.setBackend("cpu");
        const cpu = lossAndGradients(makeModel(json));
        await tf.setBackend("native");
        expect([...native.keys()]).toEqual([...cpu.keys()]);
        for (const [name, expected] of cpu) {
          expect(relativeDistance(native.get(name)!, expected), name).toBeLessThan(tolerance);
        }
      },
    );

    it("repeats to the same bits and holds its memory constant", () => {
      const run = () => {
        const model = makeModel(shape);
        const step = makeStep(model);
        for (let i = 1; i <= 4; i++) step(i);
        const pool = () => (tf.backend() as NativeBackend).poolUsage();
        const [tensors, { live, peak }] = [tf.memory().numTensors, pool()];
        for (let i = 5; i <= 12; i++) step(i);
        expect(tf.memory().numTensors).toBe(tensors);
        expect(pool()).toMatchObject({ live, peak });
        expect(pool().held).toBeLessThanOrEqual(1.5 * peak);
        const result = [...model.parameters.values()].map((variable) => bits(variable.dataSync()));
        model.dispose();
        return result;
      };
      expect(run()).toEqual(run());
    });
  },
);
