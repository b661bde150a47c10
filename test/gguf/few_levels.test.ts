/** Types of a few levels that are only read: as another program packed them. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pq2_0 } from "../../src/gguf/types/pq2_0.ts";
import { ptq1_0 } from "../../src/gguf/types/ptq1_0.ts";
import { q1_0 } from "../../src/gguf/types/q1_0.ts";
import { stq1_0 } from "../../src/gguf/types/stq1_0.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/gguf/few_levels.json", import.meta.url), "utf8"));

describe.each([q1_0, pq2_0, ptq1_0, stq1_0])("$name", (type) => {
  const bytes = Buffer.from(golden[type.name].bytes, "hex");
  const expected = Int8Array.from(golden[type.name].levels, (letter: string) => "-0+2".indexOf(letter) - 1);
  const unpack = (packed: Uint8Array, offset: number, blocks: number) => {
    const levels = new Int8Array(blocks * type.blockElements).fill(9);
    const scales = new Float32Array(blocks);
    type.unpackRow(packed, offset, levels, scales);
    return { levels, scales };
  };

  it("has the levels and scales that were packed", () => {
    const blocks = bytes.length / type.blockBytes;
    expect(unpack(bytes, 0, blocks)).toEqual({
      levels: expected,
      scales: Float32Array.from(golden[type.name].scales),
    });
    // The last block alone, behind bytes of something else.
    const last = unpack(Buffer.concat([Buffer.alloc(3), bytes]), 3 + (blocks - 1) * type.blockBytes, 1);
    expect(last.levels).toEqual(expected.subarray(-type.blockElements));
  });

  it("has the levels that it says", () => {
    expect([...new Set(expected)].sort((a, b) => a - b)).toEqual([...type.holds.levels]);
  });
});

describe("a group of STQ1_0", () => {
  /** Elements 0, 16, 32 and 48 of a block whose first group has that slot and sign. */
  const group = (slot: number, sign: number) => {
    const block = new Uint8Array(42);
    block[0] = slot;
    block[32] = sign;
    block[41] = 0x3c;
    const levels = new Int8Array(256);
    stq1_0.unpackRow(block, 0, levels, new Float32Array(1));
    return [0, 16, 32, 48].map((place) => levels[place]);
  };

  it("has the examples of its description", () => {
    expect(group(0, 0)).toEqual([0, 1, 1, 1]);
    expect(group(4, 0)).toEqual([1, 0, 1, 1]);
    expect(group(4, 1)).toEqual([-1, 0, -1, -1]);
    expect(group(6, 0)).toEqual([1, 0, 1, -1]);
  });

  it("has one zero in 32 different groups", () => {
    const all = Array.from({ length: 32 }, (_, i) => group(i & 15, i >> 4));
    expect(new Set(all.map(String)).size).toBe(32);
    for (const each of all) expect(each.filter((level) => level === 0)).toHaveLength(1);
  });
});
