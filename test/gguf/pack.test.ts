import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bf16 } from "../../src/gguf/types/bf16.ts";
import { f16 } from "../../src/gguf/types/f16.ts";
import { i2_s } from "../../src/gguf/types/i2_s.ts";
import { q2_0 } from "../../src/gguf/types/q2_0.ts";
import { q8_0 } from "../../src/gguf/types/q8_0.ts";
import { rowBytes, tensorBytes } from "../../src/gguf/types/tensor_type.ts";
import { tensorTypes } from "../../src/gguf/types/tensor_types.ts";
import { tq1_0 } from "../../src/gguf/types/tq1_0.ts";
import { tq2_0 } from "../../src/gguf/types/tq2_0.ts";
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

describe("rows of codes", () => {
  for (const type of tensorTypes.filter((each) => each.kind === "codes")) {
    it(`${type.name} keeps every code and scale, at any offset`, () => {
      const { packRow, unpackRow, blockElements, holds } = type;
      for (const blocks of [1, 3, 11]) {
        // Of different magnitudes, all of them float16 numbers.
        const scales = Float32Array.from({ length: blocks }, (_, block) => 0.037078857421875 * 2 ** block);
        const cols = blocks * blockElements;
        for (const codes of rowsOfCodes(cols)) {
          const bytes = rowBytes(type, cols);
          const packed = new Uint8Array(bytes + 10).fill(0xee);
          packRow(codes, scales, packed, 5);
          expect(packed.subarray(0, 5).every((byte) => byte === 0xee)).toBe(true);
          expect(packed.subarray(bytes + 5).every((byte) => byte === 0xee)).toBe(true);
          const back = new Int8Array(cols).fill(9);
          const found = new Float32Array(blocks);
          unpackRow(packed, 5, back, found);
          expect(back).toEqual(codes);
          expect(found).toEqual(holds.scales === "block" ? scales : new Float32Array(blocks));
        }
      }
    });
  }

  for (const type of [tq1_0, tq2_0]) {
    it(`${type.name} has the bytes of the gguf package`, () => {
      const { codes, scale } = golden.ternary;
      const packed = new Uint8Array(rowBytes(type, codes.length));
      const scales = new Float32Array(codes.length / type.blockElements).fill(scale);
      type.packRow(Int8Array.from(codes), scales, packed, 0);
      expect(hex(packed)).toBe(golden.ternary[type.name]);
    });
  }

  it("I2_S puts the first 32 weights of a block into the top bits", () => {
    const codes = new Int8Array(128);
    codes[0] = 1; // stored 2 in bits 6-7 of byte 0
    codes[33] = -1; // stored 0 in bits 4-5 of byte 1
    codes[127] = 1; // stored 2 in bits 0-1 of byte 31
    const packed = new Uint8Array(32);
    i2_s.packRow(codes, Float32Array.of(1), packed, 0);
    expect(packed[0]).toBe(0b10_01_01_01);
    expect(packed[1]).toBe(0b01_00_01_01);
    expect(packed[31]).toBe(0b01_01_01_10);
    expect(packed.subarray(2, 31).every((byte) => byte === 0b01_01_01_01)).toBe(true);
  });

  it("Q2_0 puts four neighbours into a byte, the first in the lowest bits, behind the scale", () => {
    const levels = new Int8Array(64);
    levels.set([-1, 0, 1, 2]);
    levels[63] = 1;
    const packed = new Uint8Array(18);
    q2_0.packRow(levels, Float32Array.of(0.5), packed, 0);
    expect(hex(packed)).toBe(`0038e4${"55".repeat(14)}95`);
    const values = new Int8Array(64);
    q2_0.unpackRow(packed, 0, values, new Float32Array(1));
    expect(values).toEqual(levels);
  });

  it("I2_S keeps a float32 scale after the rows", () => {
    const scale = Math.fround(0.012345679);
    expect(i2_s.tail.unpack(i2_s.tail.pack(scale))).toBe(scale);
    expect(tensorBytes(i2_s, [3, 256])).toBe((3 * 256) / 4 + 32);
  });

  it("names the rows that a type cannot hold", () => {
    for (const type of [tq1_0, tq2_0]) {
      expect(() => rowBytes(type, 384)).toThrow(`${type.name} rows are multiples of 256 elements, not 384`);
    }
  });
});

describe("float rows", () => {
  for (const type of tensorTypes.filter((each) => each.kind === "floats")) {
    it(`${type.name} gives back the value rounded as in training, bit for bit`, () => {
      const rng = new CounterRng(11, "values");
      const values = Float32Array.from({ length: 96 }, (_, i) => (rng.uniform() - 0.5) * 10 ** ((i % 13) - 8));
      values.set([0, -0, 1e-8, 6e-8, 65504, -65504, 2 ** -14, 2 ** -24], 0);
      const packed = new Uint8Array(rowBytes(type, 96) + 3);
      type.packRow(values, packed, 3);
      const back = new Float32Array(96);
      type.unpackRow(packed, 3, back);
      expect(new Uint32Array(back.buffer)).toEqual(new Uint32Array(roundToDtype(values, type.dtype).buffer));
    });
  }

  for (const type of [f16, bf16, q8_0]) {
    it(`${type.name} has the bytes of the gguf package`, () => {
      const values = Float32Array.from(golden.floats.values);
      const packed = new Uint8Array(2 * rowBytes(type, 64));
      type.packRow(values, packed, 0);
      expect(hex(packed)).toBe(golden.floats[type.name]);
    });
  }

  it("Q8_0 rounds codes half to even", () => {
    const values = new Float32Array(32);
    values[0] = 127; // the scale is 1
    values.set([0.5, 1.5, -0.5, -2.5], 1);
    const packed = new Uint8Array(34);
    q8_0.packRow(values, packed, 0);
    expect([...new Int8Array(packed.buffer, 3, 4)]).toEqual([0, 2, 0, -2]);
  });
});
