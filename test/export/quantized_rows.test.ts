/** Packing and reading back of quantizers that are not absmean ternary: rows and groups of scales, other levels. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packTensor, type TensorPlan } from "../../export/packed_tensor.ts";
import { QuantizedRows } from "../../export/quantized_rows.ts";
import { verifyGguf } from "../../export/verify/verify_gguf.ts";
import { writeGguf } from "../../src/gguf/gguf_writer.ts";
import { f32 } from "../../src/gguf/types/f32.ts";
import type { WritableTensorType } from "../../src/gguf/types/tensor_type.ts";
import { tq1_0 } from "../../src/gguf/types/tq1_0.ts";
import { tq2_0 } from "../../src/gguf/types/tq2_0.ts";
import type { ScaleGranularity, WeightQuantizer } from "../../src/quantizers/weight_quantizer.ts";

const folder = mkdtempSync(path.join(tmpdir(), "quantized-rows-"));
afterAll(() => rmSync(folder, { recursive: true }));

const [rows, cols] = [3, 512];

/** Signs for codes, and the scales 1, 2, 3 ... : what they are made of does not matter here. */
function signs(scales: ScaleGranularity, levels: number[], count: number): WeightQuantizer {
  return {
    name: "signs",
    levels,
    scales,
    scaleDtype: "f16",
    product: "ternary_row",
    fused: null,
    quantize: (latent) => ({
      codes: Int8Array.from(latent, (value) => (levels.length === 2 && value > 0 ? 0 : Math.sign(value))),
      scales: Float32Array.from({ length: count }, (_, i) => i + 1),
    }),
  };
}

const latent = Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i) - 0.1);
const perRow = signs({ per: "row" }, [-1, 0, 1], rows);

describe("a quantized matrix by rows", () => {
  it("gives every block the scale of its row or group", () => {
    const scalesOf = (quantizer: WeightQuantizer, row: number, blocks: number) => {
      const scales = new Float32Array(blocks);
      new QuantizedRows(quantizer, latent, { rows, cols }, []).blockScales(row, scales);
      return [...scales];
    };
    expect(scalesOf(perRow, 1, 2)).toEqual([2, 2]);
    expect(scalesOf(signs({ per: "tensor" }, [-1, 0, 1], 1), 2, 4)).toEqual([1, 1, 1, 1]);
    expect(scalesOf(signs({ per: "group", size: 256 }, [-1, 0, 1], 6), 1, 4)).toEqual([3, 3, 4, 4]);
  });

  it("turns codes into levels, and into values", () => {
    // Without a level 0 the codes -1 and 0 stand for -1 and 1.
    const binary = new QuantizedRows(signs({ per: "row" }, [-1, 1], rows), latent, { rows, cols }, []);
    const expected = (row: number) => [...latent.subarray(row * cols, (row + 1) * cols)].map(Math.sign);
    expect([...binary.levels(2)]).toEqual(expected(2));
    expect([...binary.values().subarray(2 * cols)]).toEqual(expected(2).map((sign) => 3 * sign));
  });
});

describe("a file of row scales", () => {
  const plan = (type: WritableTensorType, quantizer = perRow): TensorPlan => ({
    parameter: "model.layers.0.mlp.up_proj.weight",
    ggufName: "blk.0.ffn_up.weight",
    kind: "matrix",
    shape: [rows, cols],
    learnt: [],
    type,
    quantizer,
    rowOrder: Int32Array.of(2, 0, 1),
  });
  const read = async () => latent;

  it.each([tq2_0, tq1_0, f32])("as $name reads back as it was quantized, and a wrong scale is found", async (type) => {
    const file = path.join(folder, `${type.name}.gguf`);
    const tensor = {
      name: "blk.0.ffn_up.weight",
      type,
      shape: [rows, cols],
      bytes: () => packTensor(plan(type), read),
    };
    await writeGguf(file, new Map(), [tensor]);
    const verify = (quantizer: WeightQuantizer) =>
      verifyGguf(file, { metadata: new Map(), tensors: [plan(type, quantizer)] }, read);
    expect(await verify(perRow)).toEqual({ ternaryMatrices: 1, ternaryCodes: rows * cols, floatTensors: 0 });
    await expect(verify(signs({ per: "tensor" }, [-1, 0, 1], 1))).rejects.toThrow("blk.0.ffn_up.weight, row 2");
  });

  it("is refused where a scale does not fit", async () => {
    const large: WeightQuantizer = {
      ...perRow,
      quantize: (values, shape) => ({ ...perRow.quantize(values, shape, []), scales: Float32Array.of(1, 70000, 1) }),
    };
    await expect(packTensor(plan(tq2_0, large), read).next()).rejects.toThrow(
      "the scale of model.layers.0.mlp.up_proj.weight (70000) does not fit into TQ2_0",
    );
  });
});
