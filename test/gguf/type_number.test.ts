import { describe, expect, it } from "vitest";
import { tensorBytes } from "../../src/gguf/types/tensor_type.ts";
import { tensorTypes } from "../../src/gguf/types/tensor_types.ts";
import { typeOfNumber } from "../../src/gguf/types/type_number.ts";

const shape = [3, 512];
const type = (id: number, span: number, architecture = "llama") =>
  typeOfNumber({ id, shape, span }, architecture, 32).name;

describe("the type of a tensor", () => {
  it("is that of its number and bytes, or of its number alone where that has one meaning", () => {
    for (const each of tensorTypes) expect(type(each.id, tensorBytes(each, shape))).toBe(each.name);
    expect(type(35, 1)).toBe("TQ2_0");
  });

  it.each([
    [13, 1056, "llama", "type 13 (Q5_K), which is not read; read are TQ2_0, TQ1_0, "],
    [99, 1056, "llama", "type 99; read are TQ2_0"],
    [42, (1536 * 34) / 128, "llama", "type 42 (Q2_0 of PrismML's fork with 34 bytes per 128 elements)"],
    // 252 bytes, and padding up to 256
    [42, 256, "llama", "type 42 (STQ1_0 of AngelSlim's first files with 42 bytes per 256 elements)"],
    [42, 252, "llama", "type 42 (STQ1_0 of AngelSlim's first files with 42 bytes per 256 elements)"],
    [42, 999, "llama", "type 42, and its 999 bytes are none of Q2_0 with 18 bytes per 64 elements, Q2_0 of PrismML's"],
    [39, (1536 * 17) / 32, "bitnet-b1.58", "type 39 (MXFP4 with 17 bytes per 32 elements)"],
    [39, 400, "bitnet-b1.58", "type 39 (TL2 of bitnet.cpp), which is not read"],
    [39, 400, "llama", "type 39, and its 400 bytes are none of"],
    [40, (1536 * 6) / 32, "llama", "type 40 (Q1_0 of PrismML's first files with 6 bytes per 32 elements)"],
  ])("%i in %i bytes of a %s file is named and refused", (id, span, architecture, message) => {
    expect(() => type(id, span, architecture)).toThrow(message);
  });
});
