import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { q4_0 } from "../../src/gguf/types/q4_0.ts";
import { q4_1 } from "../../src/gguf/types/q4_1.ts";
import { q4_k } from "../../src/gguf/types/q4_k.ts";
import { q5_0 } from "../../src/gguf/types/q5_0.ts";
import { q5_1 } from "../../src/gguf/types/q5_1.ts";
import { q5_k } from "../../src/gguf/types/q5_k.ts";
import { q6_k } from "../../src/gguf/types/q6_k.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/gguf/k_quants.json", import.meta.url), "utf8"));

/** Rows of 256 values. */
const rows = 5;

describe.each([q6_k, q5_k, q4_k, q5_0, q4_0, q5_1, q4_1])("$name", (type) => {
  const bytes = Buffer.from(golden[type.name].bytes, "hex");
  const unpack = (packed: Uint8Array, offset: number, blocks: number) => {
    const values = new Float32Array(blocks * type.blockElements);
    type.unpackRow(packed, offset, values);
    return values;
  };

  it("has the values of the gguf package, bit for bit", () => {
    const blocks = (rows * 256) / type.blockElements;
    expect(bytes.length).toBe(blocks * type.blockBytes);
    expect(Buffer.from(unpack(bytes, 0, blocks).buffer).toString("hex")).toBe(golden[type.name].values);
  });

  it("of one block does not depend on its neighbours", () => {
    expect(unpack(bytes, type.blockBytes, 1)).toEqual(
      unpack(bytes, 0, 5).subarray(type.blockElements, 2 * type.blockElements),
    );
  });
});
