/** The PyTorch training oracle (test/golden/training) on every backend: forward, codes, gradients, AdamW. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { nativeKernelLog, resetKernelLog } from "../../native/backend/index.ts";
import { readModelConfig } from "../../src/checkpoint/model_config_json.ts";
import { unpackTernary } from "../../src/checkpoint/packed_ternary.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_file.ts";
import type { ModelConfig } from "../../src/config/model_config.ts";
import { activationQuantizerOf, weightQuantizerOf } from "../../src/config/model_quantizers.ts";
import { rotaryOf } from "../../src/config/rope_scaling.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import { adamWStep } from "../../src/ops/adamw_step.ts";
import { bitLinear } from "../../src/ops/bit_linear.ts";
import { causalAttention } from "../../src/ops/causal_attention.ts";
import { gatedActivation } from "../../src/ops/gated_activation.ts";
import { globalNormSquared } from "../../src/ops/global_norm_squared.ts";
import { rmsNorm } from "../../src/ops/rms_norm.ts";
import { weightCodes } from "../../src/ops/weight_codes.ts";
import { absmaxInt8 } from "../../src/quantizers/absmax_int8.ts";
import { absmeanTernary } from "../../src/quantizers/absmean_ternary.ts";
import { relativeDifference } from "../support/relative_difference.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const golden = path.resolve(import.meta.dirname, "../golden/training");

type Values = Map<string, Float32Array>;

async function readAll(file: string): Promise<Values> {
  const tensors = await SafetensorsFile.open(path.join(golden, file));
  const values: Values = new Map();
  for (const name of tensors.names()) {
    const { dtype } = tensors.info(name);
    const bytes = await tensors.readBytes(name);
    if (dtype === "F32") values.set(name, new Float32Array(bytes.buffer));
    else if (dtype === "I32") values.set(name, Float32Array.from(new Int32Array(bytes.buffer)));
    else values.set(name, Float32Array.from(dtype === "I8" ? new Int8Array(bytes.buffer) : bytes));
  }
  await tensors.close();
  return values;
}

const files = {
  weights: await readAll("weights.safetensors"),
  forward: await readAll("forward.safetensors"),
  ternary: await readAll("ternary.safetensors"),
  gradsSte: await readAll("grads_ste.safetensors"),
  gradsFloat: await readAll("grads_noquant.safetensors"),
  layer0: await readAll("layer0_acts.safetensors"),
  after1: await readAll("weights_after_step1.safetensors"),
  after3: await readAll("weights_after_step3.safetensors"),
};

const json = JSON.parse(readFileSync(path.join(golden, "config.json"), "utf8"));
const quantized = readModelConfig(json, () => undefined, { quantization: "online" });
const float: ModelConfig = { ...quantized, weightQuantizer: "none", activationQuantizer: "none" };
const matrices = modelParameters(quantized).filter(({ kind }) => kind === "matrix");

/** Inputs of the linear layers of layer 0. */
const linearInputs = ["self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj"];

/** Fused kernels of one training step; a missing one would be a silent fallback to composed ops. */
const fusedInStep = [
  ...["BitLinear", "RMSNorm", "CausalAttention", "EmbeddingGather"].flatMap((name) => [name, `${name}Grad`]),
  "HeadLogProbsGrad",
];

function batch(name: "input_ids" | "targets"): tf.Tensor2D {
  return tf.tensor2d(Int32Array.from(files.forward.get(name)!), [2, 24], "int32");
}

function model(config: ModelConfig): CausalLM {
  return new CausalLM(config, { parameters: (name) => files.weights.get(name)! });
}

function values(x: tf.Tensor): Float32Array {
  return x.dataSync() as Float32Array;
}

interface Step {
  loss: number;
  grads: Map<string, tf.Tensor>;
}

function lossAndGradients(lm: CausalLM): Step {
  const ids = batch("input_ids");
  const targets = batch("targets");
  const { value, grads } = tf.variableGrads(() => lm.loss(ids, targets), [...lm.parameters.values()]);
  return {
    loss: value.dataSync()[0],
    grads: new Map([...lm.parameters].map(([name, variable]) => [name, grads[variable.name]])),
  };
}

function worstGradient(grads: Map<string, tf.Tensor>, expected: Values): number {
  expect(grads.size).toBe(expected.size);
  return Math.max(...[...grads].map(([name, grad]) => relativeDifference(values(grad), expected.get(name)!)));
}

/** The activations that enter each linear layer of layer 0, computed by the ops from the oracle's weights. */
function layer0Inputs(): Values {
  const weight = (name: string) => {
    const spec = modelParameters(quantized).find((s) => s.name === `model.layers.0.${name}.weight`)!;
    return tf.tensor(files.weights.get(spec.name)!, [...spec.shape]);
  };
  const linear = (x: tf.Tensor, ...names: string[]) =>
    bitLinear(x, names.map(weight) as tf.Tensor2D[], {
      weights: weightQuantizerOf(quantized),
      activations: activationQuantizerOf(quantized),
    });
  const norm = (x: tf.Tensor, name: string) => rmsNorm(x, weight(name) as tf.Tensor1D, 1e-5);
  const x = tf.tensor(files.layer0.get("block0.in")!, [2, 24, 64]);
  const attentionIn = norm(x, "input_layernorm");
  const qkv = linear(attentionIn, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj") as tf.Tensor3D;
  const attended = causalAttention(qkv, { heads: 4, kvHeads: 2, headDim: 16, rotary: rotaryOf(500000, null, 16) });
  const outputIn = norm(attended, "self_attn.attn_sub_norm");
  const middle = tf.add(x, linear(outputIn, "self_attn.o_proj"));
  const feedForwardIn = norm(middle, "post_attention_layernorm");
  const gated = gatedActivation(linear(feedForwardIn, "mlp.gate_proj", "mlp.up_proj"), "relu2");
  const inputs = [attentionIn, outputIn, feedForwardIn, norm(gated, "mlp.ffn_sub_norm")];
  return new Map(linearInputs.map((name, i) => [name, values(inputs[i])]));
}

/** int8 codes of layer 0 that differ from those of the oracle's activations. */
function countFlips(): number {
  let flips = 0;
  for (const [name, ours] of layer0Inputs()) {
    const theirs = files.layer0.get(`${name}.in`)!;
    const expected = absmaxInt8(theirs, 48, theirs.length / 48).codes;
    absmaxInt8(ours, 48, ours.length / 48).codes.forEach((code, i) => {
      if (code !== expected[i]) flips++;
    });
  }
  return flips;
}

describe("the oracle's files", () => {
  test("ternary codes and scales of the reference are the oracle's", () => {
    for (const { name, shape } of matrices) {
      const [rows, cols] = shape;
      const { codes, weightScale } = absmeanTernary(files.weights.get(name)!, rows, cols, "f32");
      expect(Float32Array.from(codes)).toEqual(files.ternary.get(`${name}.ternary`));
      expect(weightScale).toBeCloseTo(files.ternary.get(`${name}.absmean`)![0], 8);
      const packed = Uint8Array.from(files.ternary.get(`${name}.packed_hf`)!);
      expect(unpackTernary(packed, rows, cols)).toEqual(codes);
    }
  });
});

describe.each(testedBackends)("training oracle on %s", (backend) => {
  beforeAll(() => useBackend(backend));
  afterEach(() => tf.disposeVariables());
  afterAll(() => tf.disposeVariables());

  test("float model: logits, loss and every gradient within 1e-5", () => {
    tf.tidy(() => {
      const lm = model(float);
      expect(
        relativeDifference(values(lm.logits(batch("input_ids"))), files.forward.get("logits_noquant")!),
      ).toBeLessThan(1e-5);
      const { loss, grads } = lossAndGradients(lm);
      expect(Math.abs(loss / files.forward.get("loss_noquant")![0] - 1)).toBeLessThan(1e-5);
      expect(worstGradient(grads, files.gradsFloat)).toBeLessThan(1e-5);
    });
  });

  test("ternary codes of every matrix exactly", () => {
    tf.tidy(() => {
      for (const { name, shape } of matrices) {
        const weight = tf.tensor2d(files.weights.get(name)!, shape as [number, number]);
        const { codes, scales } = weightCodes(weight, weightQuantizerOf(quantized)!);
        expect(codes.dtype).toBe("int32");
        expect(Float32Array.from(codes.dataSync())).toEqual(files.ternary.get(`${name}.ternary`));
        const reference = absmeanTernary(files.weights.get(name)!, shape[0], shape[1], "f32");
        expect(scales.dataSync()[0]).toBe(reference.weightScale);
      }
    });
  });

  test("quantized model: loss within 1e-4, gradients within 1e-3, and 1e-5 when no int8 code flipped", () => {
    tf.tidy(() => {
      const lm = model(quantized);
      resetKernelLog();
      const logits = relativeDifference(values(lm.logits(batch("input_ids"))), files.forward.get("logits")!);
      const { loss, grads } = lossAndGradients(lm);
      const gradient = worstGradient(grads, files.gradsSte);
      if (backend === "native")
        expect([...nativeKernelLog().calls.keys()]).toEqual(expect.arrayContaining(fusedInStep));
      const flips = countFlips();
      // A flip in layer 1, whose activations the oracle does not have, moves the logits by about 1e-3.
      const flipped = flips > 0 || logits > 1e-5;
      console.log(`${backend}: ${flips} int8 flips in layer 0, logits ${logits}, worst gradient ${gradient}`);
      expect(Math.abs(loss - files.forward.get("loss")![0])).toBeLessThan(1e-4);
      expect(gradient).toBeLessThan(flipped ? 1e-3 : 1e-5);
    });
  });

  test("AdamW: weights after 1 and 3 steps", () => {
    const lm = model(quantized);
    const moments = new Map(
      [...lm.parameters].map(([name, p]) => [name, [tf.variable(tf.zerosLike(p)), tf.variable(tf.zerosLike(p))]]),
    );
    for (let step = 1; step <= 3; step++) {
      tf.tidy(() => {
        const { grads } = lossAndGradients(lm);
        const norm = Math.sqrt(globalNormSquared([...grads.values()]));
        const updates = Array.from(lm.parameters, ([name, param]) => {
          const [m, v] = moments.get(name)!;
          return { param, grad: grads.get(name)!, m, v, weightDecay: param.rank === 2 ? 0.1 : 0 };
        });
        const gradScale = Math.min(1, 1 / (norm + 1e-6));
        adamWStep(updates, { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, step, gradScale });
      });
      if (step === 1) expect(shareWithin(lm, files.after1, 1e-6)).toBeGreaterThan(0.999);
    }
    expect(worstUpdate(lm, files.after3)).toBeLessThan(1e-3);
  });
});

/** Share of all weights that are within `tolerance` of the expected ones. */
function shareWithin(lm: CausalLM, expected: Values, tolerance: number): number {
  let close = 0;
  let total = 0;
  for (const [name, parameter] of lm.parameters) {
    const theirs = expected.get(name)!;
    values(parameter).forEach((value, i) => {
      if (Math.abs(value - theirs[i]) <= tolerance) close++;
    });
    total += theirs.length;
  }
  return close / total;
}

/** Relative L2 difference of all updates together (weights now minus initial weights). */
function worstUpdate(lm: CausalLM, expected: Values): number {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (const [name, parameter] of lm.parameters) {
    const initial = files.weights.get(name)!;
    const target = expected.get(name)!;
    values(parameter).forEach((value, i) => {
      ours.push(value - initial[i]);
      theirs.push(target[i] - initial[i]);
    });
  }
  return relativeDifference(ours, theirs);
}
