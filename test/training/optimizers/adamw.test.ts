/** Training steps against PyTorch (test/golden/training), and the optimizer's formulas against hand values. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readModelConfig } from "../../../src/checkpoint/model_config_json.ts";
import { SafetensorsFile } from "../../../src/checkpoint/safetensors_file.ts";
import { CausalLM } from "../../../src/model/causal_lm.ts";
import { adamW } from "../../../training/optimizers/adamw.ts";
import { GroupedOptimizer, type OptimizedParameter, stateBytes } from "../../../training/optimizers/optimizer.ts";
import { optimizedParameters } from "../../../training/optimizers/registry.ts";
import { NonFiniteError, trainStep } from "../../../training/train_step.ts";
import { relativeDifference } from "../../support/relative_difference.ts";
import { testedBackends, useBackend } from "../../support/tfjs_backends.ts";

const golden = path.resolve(import.meta.dirname, "../../golden/training");
const json = JSON.parse(readFileSync(path.join(golden, "config.json"), "utf8"));
const config = readModelConfig(json, () => undefined, { quantization: "online" });
const log = JSON.parse(readFileSync(path.join(golden, "oracle_log.json"), "utf8"));

async function readFloats(file: string): Promise<Map<string, Float32Array>> {
  const tensors = await SafetensorsFile.open(path.join(golden, file));
  const values = new Map<string, Float32Array>();
  for (const name of tensors.names()) values.set(name, await tensors.readFloat32(name));
  await tensors.close();
  return values;
}

async function readInts(name: string): Promise<Int32Array> {
  const tensors = await SafetensorsFile.open(path.join(golden, "forward.safetensors"));
  const bytes = await tensors.readBytes(name);
  await tensors.close();
  return new Int32Array(bytes.buffer);
}

const weights = await readFloats("weights.safetensors");
const batch = { ids: await readInts("input_ids"), targets: await readInts("targets"), sequenceLength: 24 };

function makeAdamW(model: CausalLM): GroupedOptimizer {
  const options = adamW.schema.parse({ type: "adamw", beta1: 0.9, beta2: 0.95, epsilon: 1e-8 });
  return new GroupedOptimizer("adamw", adamW.groups(options), optimizedParameters(model), 1);
}

const rates = { learningRate: 1e-3, weightDecay: 0.1 };

function valuesOf(model: CausalLM): Map<string, Float32Array> {
  return new Map(Array.from(model.parameters, ([name, variable]) => [name, variable.dataSync() as Float32Array]));
}

function flat(values: Map<string, Float32Array>, names: Iterable<string>): number[] {
  return [...names].flatMap((name) => [...values.get(name)!]);
}

describe.each(testedBackends)("training steps on %s", (backend) => {
  beforeEach(() => useBackend(backend));

  it("have PyTorch's losses, gradient norms and weights over three updates", async () => {
    const model = new CausalLM(config, { parameters: (name) => weights.get(name)! });
    const optimizer = makeAdamW(model);
    const names = [...model.parameters.keys()];
    const start = flat(weights, names);
    for (let step = 1; step <= 3; step++) {
      const { loss, gradNorm } = trainStep(model, optimizer, [batch], { step, ...rates });
      const [wantedLoss, wantedNorm] = log.adamw_loss_gradnorm_x3.slice(2 * step - 2);
      expect(Math.abs(loss - wantedLoss)).toBeLessThan(step === 1 ? 1e-4 : 1e-3);
      expect(Math.abs(gradNorm / wantedNorm - 1)).toBeLessThan(step === 1 ? 1e-3 : 1e-2);
      if (step === 2) continue;
      const wanted = flat(await readFloats(`weights_after_step${step}.safetensors`), names);
      const got = flat(valuesOf(model), names);
      if (step === 1) {
        const far = got.filter((value, i) => !(Math.abs(value - wanted[i]) <= 1e-6)).length;
        expect(far / got.length).toBeLessThan(1e-3);
      } else {
        const update = (values: number[]) => values.map((value, i) => value - start[i]);
        expect(relativeDifference(update(got), update(wanted))).toBeLessThan(1e-3);
      }
    }
    optimizer.dispose();
    model.dispose();
  });

  it("average the gradients of accumulated batches", () => {
    const half = (row: number) => ({
      ids: batch.ids.slice(24 * row, 24 * (row + 1)),
      targets: batch.targets.slice(24 * row, 24 * (row + 1)),
      sequenceLength: 24,
    });
    const results = [[batch], [half(0), half(1)]].map((batches) => {
      const model = new CausalLM(config, { parameters: (name) => weights.get(name)! });
      const optimizer = makeAdamW(model);
      const result = trainStep(model, optimizer, batches, { step: 1, ...rates });
      optimizer.dispose();
      model.dispose();
      return result;
    });
    expect(results[1].loss).toBeCloseTo(results[0].loss, 5);
    expect(results[1].gradNorm / results[0].gradNorm).toBeCloseTo(1, 4);
  });

  it("keep no tensors", () => {
    const model = new CausalLM(config, { parameters: (name) => weights.get(name)! });
    const optimizer = makeAdamW(model);
    const before = tf.memory().numTensors;
    trainStep(model, optimizer, [batch, batch], { step: 1, ...rates });
    expect(tf.memory().numTensors).toBe(before);
    optimizer.dispose();
    model.dispose();
  });

  it("stop at a loss that is not finite, and change nothing", () => {
    const model = new CausalLM(config, {
      parameters: (name) =>
        name === "model.norm.weight" ? weights.get(name)!.map(() => Number.NaN) : weights.get(name)!,
    });
    const optimizer = makeAdamW(model);
    const tensors = tf.memory().numTensors;
    expect(() => trainStep(model, optimizer, [batch], { step: 7, ...rates })).toThrow(NonFiniteError);
    expect(() => trainStep(model, optimizer, [batch], { step: 7, ...rates })).toThrow(/^step 7: the loss is NaN/);
    for (const { tensor } of optimizer.state()) expect(tensor.dataSync().every((value) => value === 0)).toBe(true);
    expect(flat(valuesOf(model), ["model.embed_tokens.weight"])).toEqual(flat(weights, ["model.embed_tokens.weight"]));
    expect(tf.memory().numTensors).toBe(tensors);
    optimizer.dispose();
    model.dispose();
  });
});

describe("AdamW", () => {
  let parameters: OptimizedParameter[];
  beforeEach(async () => {
    await useBackend(testedBackends.at(-1)!);
    parameters = [
      { name: "matrix", kind: "matrix", variable: tf.variable(tf.tensor2d([[1, -2]])) },
      { name: "norm", kind: "norm", variable: tf.variable(tf.tensor1d([1])) },
    ];
  });
  afterEach(() => tf.disposeVariables());

  const gradients = () =>
    new Map<string, tf.Tensor>([
      ["matrix", tf.tensor2d([[3, 0]])],
      ["norm", tf.tensor1d([4])],
    ]);

  function make(maxGradNorm: number) {
    const options = adamW.schema.parse({ type: "adamw", beta2: 0.99 });
    const optimizer = new GroupedOptimizer("adamw", adamW.groups(options), parameters, maxGradNorm);
    const state = new Map(Array.from(optimizer.state(), ({ name, tensor }) => [name, tensor]));
    return { optimizer, first: (name: string) => state.get(name)!.dataSync()[0] };
  }

  it("clips by the global norm; weight decay leaves norms alone", () => {
    const { optimizer, first } = make(1);
    const norm = optimizer.update(gradients(), { step: 1, learningRate: 0.1, weightDecay: 0.5, accumulated: 1 });
    expect(norm).toBe(5);
    // The first update of AdamW is lr * sign(g), after decay by lr * 0.5.
    const matrix = parameters[0].variable.dataSync();
    expect(matrix[0]).toBeCloseTo(1 * 0.95 - 0.1, 5);
    expect(matrix[1]).toBeCloseTo(-2 * 0.95, 5);
    expect(parameters[1].variable.dataSync()[0]).toBeCloseTo(1 - 0.1, 5);
    // m = (1 - beta1) * clipped gradient: 3 / 5 and 4 / 5.
    expect(first("m.matrix")).toBeCloseTo(0.1 * 0.6, 6);
    expect(first("v.norm")).toBeCloseTo(0.01 * 0.64, 6);
  });

  it("does not clip a small norm, nor with max_grad_norm 0", () => {
    const clipped = make(10);
    clipped.optimizer.update(gradients(), { step: 1, learningRate: 0, weightDecay: 0, accumulated: 2 });
    expect(clipped.first("m.norm")).toBeCloseTo(0.1 * 2, 6);
    const free = make(0);
    free.optimizer.update(gradients(), { step: 1, learningRate: 0, weightDecay: 0, accumulated: 1 });
    expect(free.first("m.norm")).toBeCloseTo(0.1 * 4, 6);
  });

  it("names its state as checkpoints always did", () => {
    const { optimizer } = make(1);
    expect(Array.from(optimizer.state(), ({ name }) => name)).toEqual(["m.matrix", "v.matrix", "m.norm", "v.norm"]);
    expect(stateBytes(optimizer)).toBe(4 * 2 * 3);
  });
});
