import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rowBytes, tensorBytes } from "../../src/gguf/gguf_types.ts";
import { i2_s, packI2STail, unpackI2STail } from "../../src/gguf/types/i2_s.ts";
import {
  type FloatTensorType,
  floatPacking,
  type TernaryTensorType,
  ternaryPacking,
} from "../../src/gguf/types/tensor_packing.ts";
import { roundToDtype } from "../../src/quant/round_to_dtype.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/gguf/blocks.json", import.meta.url), "utf8"));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Codes of every kind of row: mixed, all of one value, one lonely weight. */
function rowsOfCodes(cols: number): Int8Array[] {
  const rng = new CounterRng(7, "codes");
  const lonely = new Int8Array(cols);
  lonely[cols - 1] = -1;
  return [
    Int8Array.from({ length: cols }, () => Math.floor(rng.uniform() * 3) - 1),
    new Int8Array(cols),
    new Int8Array(cols).fill(1),
    new Int8Array(cols).fill(-1),
    lonely,
  ];
}

describe("ternary rows", () => {
  for (const type of ["TQ1_0", "TQ2_0", "I2_S"] as const) {
    it(`${type} keeps every code and scale, at any offset`, () => {
      const { packRow, unpackRow, blockElements } = ternaryPacking[type];
      const scale = 0.037078857421875; // a float16
      for (const cols of [blockElements, 3 * blockElements, 11 * blockElements]) {
        for (const codes of rowsOfCodes(cols)) {
          const bytes = rowBytes(type, cols);
          const packed = new Uint8Array(bytes + 10).fill(0xee);
          packRow(codes, scale, packed, 5);
          expect(packed.subarray(0, 5).every((byte) => byte === 0xee)).toBe(true);
          expect(packed.subarray(bytes + 5).every((byte) => byte === 0xee)).toBe(true);
          const back = new Int8Array(cols).fill(9);
          const scales = new Float32Array(cols / blockElements);
          unpackRow(packed, 5, back, scales);
          expect(back).toEqual(codes);
          if (type !== "I2_S") expect([...scales]).toEqual(Array(scales.length).fill(scale));
        }
      }
    });
  }

  for (const type of ["TQ1_0", "TQ2_0"] as const) {
    it(`${type} has the bytes of the gguf package`, () => {
      const { codes, scale } = golden.ternary;
      const packed = new Uint8Array(rowBytes(type, codes.length));
      ternaryPacking[type].packRow(Int8Array.from(codes), scale, packed, 0);
      expect(hex(packed)).toBe(golden.ternary[type]);
    });
  }

  it("I2_S puts the first 32 weights of a block into the top bits", () => {
    const codes = new Int8Array(128);
    codes[0] = 1; // stored 2 in bits 6-7 of byte 0
    codes[33] = -1; // stored 0 in bits 4-5 of byte 1
    codes[127] = 1; // stored 2 in bits 0-1 of byte 31
    const packed = new Uint8Array(32);
    i2_s.packRow(codes, 1, packed, 0);
    expect(packed[0]).toBe(0b10_01_01_01);
    expect(packed[1]).toBe(0b01_00_01_01);
    expect(packed[31]).toBe(0b01_01_01_10);
    expect(packed.subarray(2, 31).every((byte) => byte === 0b01_01_01_01)).toBe(true);
  });

  it("I2_S keeps a float32 scale after the rows", () => {
    const scale = Math.fround(0.012345679);
    expect(unpackI2STail(packI2STail(scale))).toBe(scale);
    expect(tensorBytes("I2_S", [3, 256])).toBe((3 * 256) / 4 + 32);
  });

  it("names the rows that a type cannot hold", () => {
    for (const type of ["TQ1_0", "TQ2_0"] satisfies TernaryTensorType[]) {
      expect(() => rowBytes(type, 384)).toThrow(`${type} rows are multiples of 256 elements, not 384`);
    }
  });
});

describe("float rows", () => {
  const types = ["F32", "F16", "BF16", "Q8_0"] as const satisfies FloatTensorType[];

  for (const type of types) {
    it(`${type} gives back the value rounded as in training, bit for bit`, () => {
      const rng = new CounterRng(11, "values");
      const values = Float32Array.from({ length: 96 }, (_, i) => (rng.uniform() - 0.5) * 10 ** ((i % 13) - 8));
      values.set([0, -0, 1e-8, 6e-8, 65504, -65504, 2 ** -14, 2 ** -24], 0);
      const packed = new Uint8Array(rowBytes(type, 96) + 3);
      floatPacking[type].packRow(values, packed, 3);
      const back = new Float32Array(96);
      floatPacking[type].unpackRow(packed, 3, back);
      const dtype = type.toLowerCase() as "f32" | "f16" | "bf16" | "q8_0";
      expect(new Uint32Array(back.buffer)).toEqual(new Uint32Array(roundToDtype(values, dtype).buffer));
    });
  }

  for (const type of ["F16", "BF16", "Q8_0"] as const) {
    it(`${type} has the bytes of the gguf package`, () => {
      const values = Float32Array.from(golden.floats.values);
      const packed = new Uint8Array(2 * rowBytes(type, 64));
      floatPacking[type].packRow(values, packed, 0);
      expect(hex(packed)).toBe(golden.floats[type]);
    });
  }

  it("Q8_0 rounds codes half to even", () => {
    const values = new Float32Array(32);
    values[0] = 127; // the scale is 1
    values.set([0.5, 1.5, -0.5, -2.5], 1);
    const packed = new Uint8Array(34);
    floatPacking.Q8_0.packRow(values, packed, 0);
    expect([...new Int8Array(packed.buffer, 3, 4)]).toEqual([0, 2, 0, -2]);
  });
});
