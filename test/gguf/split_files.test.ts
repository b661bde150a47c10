/** Models in several GGUF files, and what else of the container other programs write: read here and by the engine. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Engine } from "../../native/inference/engine.ts";
import { GgufFile, readGgufMetadata } from "../../src/gguf/gguf_reader.ts";
import { writeGguf } from "../../src/gguf/gguf_writer.ts";
import { modelFiles } from "../../src/gguf/split_files.ts";
import { type HandModel, handKeys, handTensors, tq2, writeHandModel } from "../inspect/made_files.ts";
import { ggufByHand } from "../support/gguf_by_hand.ts";
import { titleUnless } from "../support/missing.ts";
import { hasNative } from "../support/tfjs_backends.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-split-"));
afterAll(() => rmSync(folder, { recursive: true }));

const model: HandModel = { architecture: "bitnet", pack: tq2 };
const tensors = handTensors(model);
const partName = (part: number) => path.join(folder, `made-0000${part}-of-00003.gguf`);

function writeParts(change: (part: number) => object = () => ({})): void {
  for (const part of [1, 2, 3]) {
    const split = {
      "split.no": { u16: part - 1 },
      "split.count": { u16: 3 },
      "split.tensors.count": { u32: tensors.length },
      ...change(part),
    };
    const third = tensors.filter((_, i) => i % 3 === part - 1);
    writeFileSync(partName(part), ggufByHand(part === 1 ? { ...handKeys(model), ...split } : split, third));
  }
}

const whole = writeHandModel(folder, "whole", model);
const ids = Int32Array.from({ length: 40 }, (_, i) => (i * 31) % 250);

async function scores(file: string): Promise<Float32Array> {
  const engine = await Engine.load(file, { threads: 1 });
  try {
    const [{ logprobs }] = await engine.score([ids]);
    return logprobs;
  } finally {
    engine.dispose();
  }
}

describe("a split model", () => {
  it("is read as one, given any part", async () => {
    writeParts();
    for (const part of [1, 2, 3]) {
      const file = await GgufFile.open(partName(part));
      expect(file.path).toBe(partName(1));
      expect(file.scalar("general.architecture")).toBe("bitnet");
      expect(file.tensors.map(({ name }) => name).sort()).toEqual(tensors.map(({ name }) => name).sort());
      for (const { name, bytes } of tensors) expect(Buffer.compare(await file.read(name), bytes), name).toBe(0);
      await file.close();
      expect((await readGgufMetadata(partName(part))).has("tokenizer.ggml.tokens")).toBe(true);
    }
  });

  it("is refused by the part that is missing, misnamed or another one", async () => {
    writeParts();
    renameSync(partName(2), path.join(folder, "other.gguf"));
    await expect(GgufFile.open(partName(1))).rejects.toThrow(`${partName(2)}: no such file`);
    const misnamed = "part 2 of a model in 3 files: it must be named NAME-00002-of-00003.gguf";
    await expect(GgufFile.open(path.join(folder, "other.gguf"))).rejects.toThrow(misnamed);
    writeParts((part) => (part === 3 ? { "split.no": { u16: 1 } } : {}));
    await expect(GgufFile.open(partName(1))).rejects.toThrow("is not part 3 of 3 by its keys");
    writeParts((part) => (part === 1 ? { "split.tensors.count": { u32: 99 } } : {}));
    await expect(GgufFile.open(partName(1))).rejects.toThrow(`its parts have ${tensors.length} tensors`);
  });

  it.skipIf(!hasNative)(
    titleUnless(!hasNative, "the native addon", "runs with the bits of the whole one"),
    async () => {
      writeParts();
      const expected = await scores(whole);
      for (const part of [1, 3]) expect(await scores(partName(part))).toEqual(expected);
      expect(modelFiles(partName(3), 3)).toEqual([1, 2, 3].map(partName));
      expect(modelFiles(whole, undefined)).toEqual([whole]);
      rmSync(partName(2));
      await expect(scores(partName(1))).rejects.toThrow("part 2 of 3: No such file");
    },
  );
});

describe("the container of other programs", () => {
  it("may have another alignment, and arrays of arrays", async () => {
    const nested = { "a.nested": { arrays: [[1, 2], [], [-3]] } };
    const keys = { ...nested, "general.alignment": { u32: 24 } };
    const odd = writeHandModel(folder, "odd", { ...model, keys, layout: { alignment: 24 } });
    const file = await GgufFile.open(odd);
    const value = file.metadata.get("a.nested");
    expect(value).toMatchObject({ of: "array", value: [{ value: [1, 2] }, { value: [] }, { value: [-3] }] });
    for (const { name, bytes } of tensors) expect(Buffer.compare(await file.read(name), bytes), name).toBe(0);
    await file.close();
    if (hasNative) expect(await scores(odd)).toEqual(await scores(whole));
    const out = path.join(folder, "again.gguf");
    await writeGguf(out, new Map([["a.nested", value!]]), []);
    expect((await readGgufMetadata(out)).get("a.nested")).toEqual(value);
  });

  it("is refused by name where it is big-endian, or the alignment is none", async () => {
    const big = writeHandModel(folder, "big", { ...model, layout: { bigEndian: true } });
    await expect(GgufFile.open(big)).rejects.toThrow(`${big}: big-endian GGUF`);
    await expect(readGgufMetadata(big)).rejects.toThrow("big-endian GGUF");
    const odd = writeHandModel(folder, "seven", { ...model, keys: { "general.alignment": { u32: 7 } } });
    await expect(GgufFile.open(odd)).rejects.toThrow(
      "general.alignment is 7 (uint32): a uint32 that is a multiple of 8",
    );
    if (!hasNative) return;
    await expect(scores(big)).rejects.toThrow("big-endian GGUF");
    await expect(scores(odd)).rejects.toThrow('metadata "general.alignment" must be a uint32 that is a multiple of 8');
  });
});
