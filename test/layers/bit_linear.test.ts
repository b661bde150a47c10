/** BitLinear in other people's models: sequential, fit, save, load, custom quantizers. */
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileSystem } from "../../src/checkpoint/file_system.ts";
import { BitLinear } from "../../src/layers/bit_linear.ts";
import { AbsmaxInt8, AbsmeanTernary, Quantizer, QuantizerError } from "../../src/layers/quantizers.ts";
import { absmeanTernary } from "../../src/quantizers/absmean_ternary.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { testedBackends, useBackend } from "../support/tfjs_backends.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-layers-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Points in the plane, labelled by the side of a curve. */
function points(count: number): { x: tf.Tensor2D; y: tf.Tensor2D } {
  const rng = new CounterRng(2, "points");
  const x: number[][] = [];
  const y: number[][] = [];
  for (let i = 0; i < count; i++) {
    const [a, b] = [2 * rng.uniform() - 1, 2 * rng.uniform() - 1];
    x.push([a, b, a * b, 1]);
    y.push([a * b > 0 ? 1 : 0]);
  }
  return { x: tf.tensor2d(x), y: tf.tensor2d(y) };
}

function classifier(): tf.Sequential {
  return tf.sequential({
    layers: [
      new BitLinear({
        units: 32,
        activation: "relu",
        inputShape: [4],
        kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
      }),
      new BitLinear({ units: 32, activation: "relu", kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }) }),
      tf.layers.dense({
        units: 1,
        activation: "sigmoid",
        kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }),
      }),
    ],
  });
}

function read(x: tf.Tensor): number[] {
  return Array.from(x.dataSync());
}

/** Half the values, straight through: a quantizer of somebody else. */
class Halver extends Quantizer {
  static className = "TestHalver";
  readonly factor: number;
  constructor(config: { factor: number }) {
    super();
    this.factor = config.factor;
  }
  override apply(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, this.factor);
  }
  override getConfig() {
    return { factor: this.factor };
  }
}
tf.serialization.registerClass(Halver);

describe.each(testedBackends)("BitLinear on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("learns in tf.sequential with model.fit, and survives save and load", async () => {
    const { x, y } = points(256);
    const model = classifier();
    model.compile({ optimizer: tf.train.adam(0.02), loss: "binaryCrossentropy", metrics: ["accuracy"] });
    const history = await model.fit(x, y, { epochs: 15, batchSize: 64, shuffle: false, verbose: 0 });
    const losses = history.history.loss as number[];
    expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]);

    const directory = path.join(folder, `classifier-${backend}`);
    await model.save(fileSystem(directory));
    expect(readdirSync(directory).sort()).toEqual(["model.json", "weights.bin"]);
    const loaded = await tf.loadLayersModel(fileSystem(directory));
    expect(loaded.layers[0]).toBeInstanceOf(BitLinear);
    expect(loaded.layers[0].getConfig()).toEqual(model.layers[0].getConfig());
    expect(read(loaded.predict(x) as tf.Tensor)).toEqual(read(model.predict(x) as tf.Tensor));
    // Saving again replaces the directory.
    await loaded.save(fileSystem(directory));
  });

  test("is tf.layers.dense with the weights' ternary values and the inputs' int8 values", () => {
    tf.tidy(() => {
      const args = { units: 3, inputShape: [5], biasInitializer: "ones" as const, activation: "tanh" as const };
      const ours = tf.sequential({ layers: [new BitLinear(args)] });
      const dense = tf.sequential({ layers: [tf.layers.dense(args)] });
      const [kernel, bias] = ours.getWeights();
      expect(kernel.shape).toEqual([5, 3]);
      // One scale for the whole kernel; its transpose has the same mean.
      const transposed = tf.transpose(kernel).dataSync<"float32">();
      const { codes, weightScale } = absmeanTernary(transposed, 3, 5, "f16");
      const ternary = tf.transpose(
        tf.tensor2d(
          Array.from(codes, (code) => code * weightScale),
          [3, 5],
        ),
      );
      dense.setWeights([ternary, bias]);
      // Inputs that int8 represents exactly: absmax 127.
      const x = tf.tensor2d([1, -2, 127, 40, 5, 127, 0, 0, -127, 64], [2, 5]);
      const difference = tf.max(tf.abs(tf.sub(ours.predict(x) as tf.Tensor, dense.predict(x) as tf.Tensor)));
      expect(read(difference)[0]).toBeLessThan(1e-5);
    });
  });

  test("without quantizers it is tf.layers.dense", () => {
    tf.tidy(() => {
      const layer = new BitLinear({ units: 4, inputShape: [6], weightQuantizer: "none", activationQuantizer: null });
      const ours = tf.sequential({ layers: [layer] });
      const dense = tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [6] })] });
      dense.setWeights(ours.getWeights());
      const x = tf.randomNormal([3, 6], 0, 1, "float32", 1);
      const difference = tf.max(tf.abs(tf.sub(ours.predict(x) as tf.Tensor, dense.predict(x) as tf.Tensor)));
      expect(read(difference)[0]).toBeLessThan(1e-5);
    });
  });

  test("a quantizer of the user's own is used, and saved by its class", async () => {
    const model = tf.sequential({
      layers: [
        new BitLinear({
          units: 2,
          inputShape: [3],
          useBias: false,
          weightQuantizer: new Halver({ factor: 0.5 }),
          activationQuantizer: new Halver({ factor: 4 }),
        }),
      ],
    });
    model.setWeights([tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2])]);
    const x = tf.tensor2d([1, 10, 100], [1, 3]);
    expect(read(model.predict(x) as tf.Tensor)).toEqual([2 * 531, 2 * 642]);
    const directory = path.join(folder, `halver-${backend}`);
    await model.save(fileSystem(directory));
    const loaded = await tf.loadLayersModel(fileSystem(directory));
    expect(read(loaded.predict(x) as tf.Tensor)).toEqual([2 * 531, 2 * 642]);
  });
});

describe("quantizers of a layer", () => {
  test("by name, by instance, by configuration, or none", () => {
    const config = (args: object) => new BitLinear({ units: 1, ...args }).getConfig();
    expect(config({})).toMatchObject({
      weightQuantizer: { className: "AbsmeanTernary", config: { scaleDtype: "f16" } },
      activationQuantizer: { className: "AbsmaxInt8", config: {} },
    });
    expect(config({ weightQuantizer: new AbsmeanTernary({ scaleDtype: "bf16" }) })).toMatchObject({
      weightQuantizer: { className: "AbsmeanTernary", config: { scaleDtype: "bf16" } },
    });
    const serialized = { className: "AbsmeanTernary", config: { scaleDtype: "f32" } };
    expect(config({ weightQuantizer: serialized })).toMatchObject({ weightQuantizer: serialized });
    expect(config({ weightQuantizer: "none", activationQuantizer: new AbsmaxInt8() })).toMatchObject({
      weightQuantizer: null,
      activationQuantizer: { className: "AbsmaxInt8" },
    });
  });

  test("wrong names and options say what is valid", () => {
    const make = (weightQuantizer: unknown) => () =>
      new BitLinear({ units: 1, weightQuantizer: weightQuantizer as never });
    expect(make("ternary")).toThrow('unknown quantizer "ternary": use absmean_ternary, ');
    expect(make({ className: "Dense", config: { units: 1 } })).toThrow(QuantizerError);
    expect(() => new AbsmeanTernary({ scaleDtype: "f64" as never })).toThrow("not one of f16, bf16, f32");
  });
});

describe("fileSystem", () => {
  test("a directory with other files is not replaced", async () => {
    const directory = path.join(folder, "precious");
    await classifier().save(fileSystem(directory));
    rmSync(path.join(directory, "model.json"));
    writeFileSync(path.join(directory, "thesis.txt"), "do not delete");
    await expect(classifier().save(fileSystem(directory))).rejects.toThrow("holds other files");
    expect(readdirSync(directory)).toContain("thesis.txt");
    expect(readdirSync(folder).filter((name) => name.includes("precious"))).toEqual(["precious"]);
  });

  test("missing and truncated files are named", async () => {
    await expect(tf.loadLayersModel(fileSystem(path.join(folder, "nowhere")))).rejects.toThrow(
      /cannot read .*nowhere.model\.json: no such file/,
    );
    const directory = path.join(folder, "short");
    await classifier().save(fileSystem(directory));
    truncateSync(path.join(directory, "weights.bin"), 100);
    await expect(tf.loadLayersModel(fileSystem(directory))).rejects.toThrow(/weights\.bin has 100 bytes, model\.json/);
    writeFileSync(path.join(directory, "model.json"), "{");
    await expect(tf.loadLayersModel(fileSystem(directory))).rejects.toThrow("is not valid JSON");
  });
});
