/** What llama.cpp's own quantizer writes is read to the bit as llama.cpp reads it; ternary rows are packed as it packs them. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { q2_0 } from "../../src/gguf/types/q2_0.ts";
import { holdsCodes, rowBytes, type TensorType } from "../../src/gguf/types/tensor_type.ts";
import { tensorTypes } from "../../src/gguf/types/tensor_types.ts";
import { tq1_0 } from "../../src/gguf/types/tq1_0.ts";
import { tq2_0 } from "../../src/gguf/types/tq2_0.ts";

interface Golden {
  /** Two rows of 256 float32 values, the second ternary. */
  rows: string;
  types: Record<string, { bytes: string; values: string }>;
}
const golden: Golden = JSON.parse(readFileSync(new URL("../golden/gguf/llama_cpp.json", import.meta.url), "utf8"));
const cols = 256;

const floatsOf = (hex: string) => new Float32Array(new Uint8Array(Buffer.from(hex, "hex")).buffer);
const bitsOf = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)];

const goldenBytes = (name: string) => new Uint8Array(Buffer.from(golden.types[name]!.bytes, "hex"));

it.each(Object.keys(golden.types))("%s of llama.cpp has its values, bit for bit", (name) => {
  const type: TensorType = tensorTypes.find((each) => each.name === name)!;
  const bytes = goldenBytes(name);
  expect(bytes.length).toBe(2 * rowBytes(type, cols));
  const values = new Float32Array(2 * cols);
  for (let row = 0; row < 2; row++) {
    const [at, out] = [row * rowBytes(type, cols), values.subarray(row * cols, (row + 1) * cols)];
    if (!holdsCodes(type)) type.unpackRow(bytes, at, out);
    else {
      const [levels, scales] = [new Int8Array(cols), new Float32Array(cols / type.blockElements)];
      type.unpackRow(bytes, at, levels, scales);
      for (let i = 0; i < cols; i++) out[i] = levels[i]! * scales[Math.floor(i / type.blockElements)]!;
    }
  }
  expect(bitsOf(values)).toEqual(bitsOf(floatsOf(golden.types[name]!.values)));
});

it.each([tq1_0, tq2_0, q2_0])("$name of ternary values has llama.cpp's bytes", (type) => {
  const row = floatsOf(golden.rows).subarray(cols);
  const scale = Math.max(...row.subarray(0, 64).map(Math.abs));
  const packed = new Uint8Array(rowBytes(type, cols));
  const scales = new Float32Array(cols / type.blockElements).fill(scale);
  type.packRow(Int8Array.from(row, Math.sign), scales, packed, 0);
  expect(packed).toEqual(goldenBytes(type.name).subarray(rowBytes(type, cols)));
});

it("are all types that it writes and that are read here", () => {
  const others = ["F32", "F16", "BF16", "I2_S", "PQ2_0", "PTQ1_0", "STQ1_0"];
  expect([...Object.keys(golden.types), ...others].sort()).toEqual(tensorTypes.map(({ name }) => name).sort());
});
