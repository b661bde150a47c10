import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dequantizeQ4K, dequantizeQ6K } from "../../src/quant/k_quants.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/gguf/k_quants.json", import.meta.url), "utf8"));
const types = [
  ["Q6_K", dequantizeQ6K, 210],
  ["Q4_K", dequantizeQ4K, 144],
] as const;

describe.each(types)("%s", (type, dequantize, blockBytes) => {
  const bytes = Buffer.from(golden[type].bytes, "hex");

  it("has the values of the gguf package, bit for bit", () => {
    const values = dequantize(bytes);
    expect(values.length).toBe(5 * 256);
    expect(Buffer.from(values.buffer).toString("hex")).toBe(golden[type].values);
  });

  it("of one block does not depend on its neighbours", () => {
    const second = dequantize(bytes.subarray(blockBytes, 2 * blockBytes));
    expect(second).toEqual(dequantize(bytes).subarray(256, 512));
  });

  it("refuses a part of a block", () => {
    expect(() => dequantize(bytes.subarray(1))).toThrow(`are no whole ${type} blocks of ${blockBytes}`);
  });
});
