/** Exports of models whose quantizers learn: the codes and scales of a file are those of latent weights and steps. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exportModel } from "../../export/export_model.ts";
import { planExport } from "../../export/export_plan.ts";
import { planGguf } from "../../export/gguf_export.ts";
import { verifyGguf } from "../../export/verify/verify_gguf.ts";
import { verifyTransformers } from "../../export/verify/verify_transformers.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { weightQuantizerOf } from "../../src/config/model_quantizers.ts";
import { unpackableReason } from "../../src/config/packing_rules.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import { tq2_0 } from "../../src/gguf/types/tq2_0.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "./small_model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "learnt-export-"));
afterAll(() => rmSync(folder, { recursive: true }));

const matrix = "model.layers.0.mlp.up_proj.weight";

describe("a file of learnt steps", () => {
  const config = smallConfig({ weight_quantizer: { type: "lsq_ternary", scale_per: "row" } });
  const parameters = smallParameters(config);
  const plan = planExport(config, smallTokenizer(), { target: "bitnet-lab" });
  const file = path.join(folder, "lsq.gguf");

  it("has the codes and scales of the last step, and nothing else of it", async () => {
    // As training would have: half of the first step of the row.
    const steps = parameters.get(`${matrix}_step`)!;
    steps[3] /= 2;
    await exportModel(plan, file, readerOf(parameters));
    const read = await GgufFile.open(file);
    const [rows, cols] = [512, 256];
    const packed = await read.read("blk.0.ffn_up.weight", 0, rows * tq2_0.blockBytes);
    const { codes, scales } = weightQuantizerOf(config)!.quantize(parameters.get(matrix)!, { rows, cols }, [steps]);
    const [row, scale] = [new Int8Array(cols), new Float32Array(1)];
    for (let r = 0; r < rows; r++) {
      tq2_0.unpackRow(packed, r * tq2_0.blockBytes, row, scale);
      expect(row).toEqual(codes.subarray(r * cols, (r + 1) * cols));
      expect(scale[0]).toBe(scales[r]);
    }
    expect(read.tensors.filter(({ name }) => name.includes("step"))).toEqual([]);
    await read.close();
    expect(await verifyGguf(file, planGguf(plan), readerOf(parameters))).toMatchObject({ ternaryMatrices: 14 });
  });

  it("is found wrong after another step of training", async () => {
    parameters.get(`${matrix}_step`)![3] *= 2;
    await expect(verifyGguf(file, planGguf(plan), readerOf(parameters))).rejects.toThrow("blk.0.ffn_up.weight, row 3");
  });

  it("is refused if a step is not finite", async () => {
    const broken = new Map(parameters).set(`${matrix}_step`, new Float32Array(512).fill(Number.NaN));
    await expect(exportModel(plan, path.join(folder, "broken.gguf"), readerOf(broken))).rejects.toThrow(
      `${matrix}_step holds values that are not finite`,
    );
  });
});

it("transformers packs codes and the step of a matrix", async () => {
  const config = smallConfig({ weight_quantizer: "lsq_ternary" });
  const parameters = smallParameters(config);
  const plan = planExport(config, smallTokenizer(), { target: "transformers" });
  const directory = path.join(folder, "lsq");
  await exportModel(plan, directory, readerOf(parameters));
  expect(await verifyTransformers(directory, plan, readerOf(parameters))).toMatchObject({ ternaryMatrices: 14 });
});

describe("a bias of Tequila", () => {
  const config = smallConfig({ weight_quantizer: { type: "tequila_ternary", lambda: 0.5 } });
  const parameters = smallParameters(config);
  const plan = planExport(config, smallTokenizer(), { target: "bitnet-lab" });
  const file = path.join(folder, "tequila.gguf");

  it("lies beside the weight in a file for our own engine", async () => {
    await exportModel(plan, file, readerOf(parameters));
    const read = await GgufFile.open(file);
    expect(read.scalar("general.architecture")).toBe("bitnet-lab");
    const bytes = await read.read("blk.0.ffn_up.bias", 0, 4 * 512);
    const expected = weightQuantizerOf(config)!.rowBias!.value(parameters.get(matrix)!, { rows: 512, cols: 256 }, []);
    expect(new Float32Array(bytes.slice().buffer)).toEqual(expected);
    await read.close();
    const verified = await verifyGguf(file, planGguf(plan), readerOf(parameters));
    expect(verified).toMatchObject({ ternaryMatrices: 14, floatTensors: 10 + 14 });
  });

  it("is found wrong with another weight whose code is 0", async () => {
    const weights = parameters.get(matrix)!.slice();
    weights[0] = weights[0] === 0.001 ? 0.002 : 0.001;
    const changed = new Map(parameters).set(matrix, weights);
    await expect(verifyGguf(file, planGguf(plan), readerOf(changed))).rejects.toThrow("blk.0.ffn_up");
  });

  it.each(["llama.cpp", "bitnet.cpp", "transformers"])("is refused for %s, with the reason", (target) => {
    expect(() => planExport(config, smallTokenizer(), { target })).toThrow(
      /has no (graph|model) with weight_quantizer: tequila_ternary: export with --target bitnet-lab/,
    );
  });
});

describe("what a file cannot hold", () => {
  const refusal = (keys: Partial<ModelConfigJson>, type?: string) => () =>
    planExport(smallConfig(keys), smallTokenizer(), { target: "bitnet-lab", type });

  it("says which type does: shifts of DLT and levels of int8 in float32", () => {
    expect(unpackableReason(smallConfig({ weight_quantizer: "dlt_ternary" }))).toBeNull();
    expect(refusal({ weight_quantizer: "dlt_ternary" }, "f16")).toThrow(
      "f16 rounds the values of dlt_ternary, which are no levels times scales: use --type f32,",
    );
    expect(refusal({ weight_quantizer: "int8" }, "f16")).toThrow(
      "f16 rounds the products of the levels -128 to 127 and their scales: use --type f32,",
    );
    expect(refusal({ weight_quantizer: "int8" })().linearType).toBe("f32");
  });
});
