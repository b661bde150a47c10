/**
 * Types of a few levels in the engine. In a file that says nothing of quantized activations they are floats: the bits of
 * the same model as F32. Where the graph is BitNet's they are ternary: the bits of the same model as Q2_0.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Engine } from "../../../native/inference/engine.ts";
import { pq2_0 } from "../../../src/gguf/types/pq2_0.ts";
import { ptq1_0 } from "../../../src/gguf/types/ptq1_0.ts";
import { q1_0 } from "../../../src/gguf/types/q1_0.ts";
import { q2_0 } from "../../../src/gguf/types/q2_0.ts";
import { stq1_0 } from "../../../src/gguf/types/stq1_0.ts";
import { type HandModel, handKeys, handTensors, type Pack, writeHandModel } from "../../inspect/made_files.ts";
import { floatTensor, ggufByHand, type HandTensor } from "../../support/gguf_by_hand.ts";
import { randomSequences, temporaryFolder } from "./exported_model.ts";

const golden = JSON.parse(readFileSync(new URL("../../golden/gguf/few_levels.json", import.meta.url), "utf8"));
const folder = temporaryFolder("few-levels-");
afterAll(() => folder.remove());
let count = 0;

type Type = typeof q1_0 | typeof pq2_0 | typeof ptq1_0 | typeof stq1_0;

/** Blocks for so many weights, those of the golden file over and over, with scales of one sign and size. */
function blocksFor(type: Type, weights: number): Uint8Array {
  const some = Buffer.from(golden[type.name].bytes, "hex");
  const all = Uint8Array.from(
    { length: (weights / type.blockElements) * type.blockBytes },
    (_, i) => some[i % some.length]!,
  );
  return all;
}

function unpacked(type: Type, bytes: Uint8Array) {
  const blocks = bytes.length / type.blockBytes;
  const levels = new Int8Array(blocks * type.blockElements);
  const scales = new Float32Array(blocks);
  type.unpackRow(bytes, 0, levels, scales);
  return { levels, scales };
}

function valuesOf(type: Type, bytes: Uint8Array): Float32Array {
  const { levels, scales } = unpacked(type, bytes);
  return Float32Array.from(levels, (level, i) => level * scales[Math.floor(i / type.blockElements)]!);
}

async function bitsOf(file: string) {
  const engine = await Engine.load(file, { threads: 2 });
  const scores = [
    ...(await engine.score(randomSequences([20, 3], 260))),
    ...(await engine.score(randomSequences([5], 260), { chunk: "token" })),
  ];
  engine.dispose();
  return scores.map((score) => [...new Uint32Array(score.logprobs.slice().buffer)]);
}

/** A `llama` file (q and k rows in another order) with an untied head, whose matrices `matrixOf` makes. */
function floatModel(matrixOf: (name: string, sizes: number[]) => HandTensor): string {
  const made: HandModel = {
    architecture: "llama",
    pack: () => ({ type: 0, bytes: new Uint8Array(0) }),
    subNorms: false,
  };
  const tensors = handTensors(made).map((tensor) =>
    tensor.sizes.length === 2 ? matrixOf(tensor.name, [...tensor.sizes]) : tensor,
  );
  tensors.push(matrixOf("output.weight", [256, 260]));
  const file = path.join(folder.path, `float-${count++}.gguf`);
  writeFileSync(file, ggufByHand(handKeys(made), tensors));
  return file;
}

describe.each([
  [q1_0, 41],
  [pq2_0, 142],
  [pq2_0, 42],
  [ptq1_0, 143],
  [stq1_0, 43],
  [stq1_0, 42],
] as const)("$0.name as type %i", (type, id) => {
  it("in any matrix gives the bits of its values", async () => {
    const weights = ([cols, rows]: number[]) => cols! * rows!;
    const packed = floatModel((name, sizes) => ({ name, sizes, type: id, bytes: blocksFor(type, weights(sizes)) }));
    const plain = floatModel((name, sizes) =>
      floatTensor(name, sizes, valuesOf(type, blocksFor(type, weights(sizes)))),
    );
    const found = await bitsOf(packed);
    expect(found).toEqual(await bitsOf(plain));
    expect(found.flat().every((bits) => Number.isFinite(new Float32Array(Uint32Array.of(bits).buffer)[0]))).toBe(true);
  });
});

describe.each([q1_0, ptq1_0, stq1_0] as const)("$name under BitNet's name", (type) => {
  it("is multiplied as integers, as Q2_0 of the same codes is", async () => {
    const own: Pack = (codes) => ({ type: type.id, bytes: blocksFor(type, codes.length) });
    const asQ2: Pack = (codes) => {
      const { levels, scales } = unpacked(type, blocksFor(type, codes.length));
      const bytes = new Uint8Array((codes.length / 64) * 18);
      const repeated = Float32Array.from(
        { length: codes.length / 64 },
        (_, i) => scales[Math.floor((64 * i) / type.blockElements)]!,
      );
      q2_0.packRow(levels, repeated, bytes, 0);
      return { type: q2_0.id, bytes };
    };
    const keys = { "bitnet-lab.quantization.scale_group": { u32: type.blockElements } };
    const made = (name: string, pack: Pack) =>
      writeHandModel(folder.path, name, { architecture: "bitnet-b1.58", pack, keys });
    const file = made(`${type.name}-codes`, own);
    expect(await bitsOf(file)).toEqual(await bitsOf(made(`${type.name}-q2`, asQ2)));
    // One block a row of 256 is the row's scale: nothing says that it is a group's.
    if (type.blockElements === 256) return;
    const unsaid = writeHandModel(folder.path, `${type.name}-unsaid`, { architecture: "bitnet-b1.58", pack: own });
    expect(await bitsOf(unsaid)).toEqual(await bitsOf(file));
  });
});

describe("a file", () => {
  const refusal = async (file: string) => {
    const engine = await Engine.load(file, { threads: 1 });
    engine.dispose();
  };

  it("whose type 42 fits no layout is refused with what would fit", async () => {
    const pack: Pack = (codes) => ({ type: 42, bytes: new Uint8Array((codes.length / 64) * 20) });
    await expect(refusal(writeHandModel(folder.path, "misfit", { architecture: "bitnet", pack }))).rejects.toThrow(
      /tensor "blk\.0\.[a-z_]+\.weight": type 42 at offset \d+ has \d+ bytes up to the next tensor, which fit none of Q2_0 with 18 bytes per 64 elements \(\d+\), Q2_0 of PrismML's fork with 34 bytes per 128 elements \(\d+\), STQ1_0/,
    );
  });

  it("of folded weights is refused by name", async () => {
    const keys = { "prism.hadamard.block": { u32: 128 } };
    const pack: Pack = (codes) => ({ type: 142, bytes: blocksFor(pq2_0, codes.length) });
    await expect(refusal(writeHandModel(folder.path, "folded", { architecture: "qwen3", pack, keys }))).rejects.toThrow(
      "its weights are folded with a Hadamard rotation (prism.hadamard.block), which is not read",
    );
  });
});
