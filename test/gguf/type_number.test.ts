import { describe, expect, it } from "vitest";
import { tensorBytes } from "../../src/gguf/types/tensor_type.ts";
import { tensorTypes } from "../../src/gguf/types/tensor_types.ts";
import { meaningsInFile, type NumberedTensor, readAs } from "../../src/gguf/types/type_number.ts";

const shape = [3, 512];

/** Names of the types that tensors of one file are read as, or why they are not. */
function types(tensors: Omit<NumberedTensor, "offset">[], architecture = "llama", alignment = 32): string[] {
  const placed = tensors.map((tensor) => ({ ...tensor, offset: 4096 }));
  const meanings = meaningsInFile(placed, architecture, alignment);
  return placed.map((tensor, i) => {
    const type = readAs(tensor, meanings[i]!);
    return typeof type === "string" ? type : type.name;
  });
}
const type = (id: number, span: number, architecture?: string) => types([{ id, shape, span }], architecture)[0];

describe("the type of a tensor", () => {
  it("is that of its number and bytes, or of its number alone where that has one meaning", () => {
    for (const each of tensorTypes) expect(type(each.id, tensorBytes(each, shape))).toBe(each.name);
    expect(type(35, 1)).toBe("TQ2_0");
  });

  it("42 is told by the bytes", () => {
    expect(type(42, (1536 * 18) / 64)).toBe("Q2_0");
    expect(type(42, (1536 * 34) / 128)).toBe("PQ2_0");
    // 252 bytes, and padding up to 256
    expect(type(42, 252)).toBe("STQ1_0");
    expect(type(42, 256)).toBe("STQ1_0");
  });

  it("42 is told by all tensors of a file where padding leaves a choice in one", () => {
    // 36, 34 or 21 bytes
    const small = { id: 42, shape: [128], span: 64 };
    expect(types([small])).toEqual(["Q2_0"]);
    expect(types([small, { id: 42, shape, span: 408 }])).toEqual(["PQ2_0", "PQ2_0"]);
    // 3 x 512 are 432, 408 or 252 bytes, 64 x 4096 are 73728, 69632 or 43008.
    const coarse = [
      { id: 42, shape, span: 4096 },
      { id: 42, shape: [64, 4096], span: 69632 },
    ];
    expect(types(coarse, "qwen3", 4096)).toEqual(["PQ2_0", "PQ2_0"]);
  });

  it.each([
    [10, 1056, "llama", "type 10 (Q2_K), which is not read; read are TQ2_0, TQ1_0, "],
    [99, 1056, "llama", "type 99; read are TQ2_0"],
    [
      42,
      999,
      "llama",
      "type 42 at offset 4096 has 999 bytes up to the next tensor, which fit none of Q2_0 with 18 bytes per 64 elements (432), Q2_0 of PrismML's fork with 34 bytes per 128 elements (408), STQ1_0 of AngelSlim's first files with 42 bytes per 256 elements (252)",
    ],
    [39, (1536 * 17) / 32, "bitnet-b1.58", "type 39 (MXFP4 with 17 bytes per 32 elements)"],
    [39, 400, "bitnet-b1.58", "type 39 (TL2 of bitnet.cpp), which is not read"],
    [39, 400, "llama", "type 39 at offset 4096 has 400 bytes up to the next tensor, which fit none of TL2"],
    [40, (1536 * 6) / 32, "llama", "type 40 (Q1_0 of PrismML's first files with 6 bytes per 32 elements)"],
  ])("%i in %i bytes of a %s file is named and refused", (id, span, architecture, message) => {
    expect(type(id, span, architecture)).toContain(message);
  });

  it("42 with rows that only some of its meanings can have", () => {
    expect(types([{ id: 42, shape: [2, 64], span: 100 }])[0]).toContain(
      "none of Q2_0 with 18 bytes per 64 elements (36), Q2_0 of PrismML's fork with 34 bytes per 128 elements (rows of 64 are no multiple)",
    );
  });
});
