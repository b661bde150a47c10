/**
 * A file in the layout of bitnet.cpp's official 2B4T GGUF gives the bits of the same model exported by us, and is refused
 * in the variants that other builds and packers write.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Engine } from "../../../native/inference/engine.ts";
import { latentFromTernary } from "../../../src/checkpoint/packed_ternary.ts";
import { tokenizerOf } from "../../../src/gguf/gguf_tokenizer.ts";
import { exportParameters, randomSequences, temporaryFolder } from "./exported_model.ts";
import {
  arm,
  floats,
  floatTensors,
  i2s,
  intermediate,
  matrices,
  officialFile,
  officialTensors,
  sequential,
  vocab,
  vocabulary,
  x86,
} from "./official_file.ts";

const folder = temporaryFolder("official-");
afterAll(() => folder.remove());

async function load(name: string, bytes: Buffer): Promise<Engine> {
  const target = path.join(folder.path, name);
  writeFileSync(target, bytes);
  return Engine.load(target, { threads: 2 });
}

describe("a file in the official 2B4T layout, made by hand", () => {
  it("gives the bits of the same model exported by us", async () => {
    const parameters = floats();
    for (const { parameter, codes, scale } of matrices(true)) {
      parameters.set(parameter, latentFromTernary(codes, scale));
    }
    const exported = path.join(folder.path, "exported.gguf");
    await exportParameters(exported, "i2_s", parameters, {
      intermediate_size: intermediate,
      scale_dtype: "f32",
      embedding_dtype: "f16",
    });
    const engines = [await load("official.gguf", officialFile(officialTensors(x86))), await Engine.load(exported)];
    const sequences = randomSequences([60, 2, 17], vocab);
    const [official, ours] = await Promise.all(engines.map((engine) => engine.score(sequences)));
    const logits = await Promise.all(engines.map((engine) => engine.createSession().prefill(sequences[0]!)));
    expect(official).toEqual(ours);
    expect(logits[0]).toEqual(logits[1]);
    expect(logits[0]!.some((value) => value !== logits[0]![0])).toBe(true);
    expect(engines[0]!.config).toMatchObject({ architecture: "bitnet-b1.58", weightType: "I2_S", hiddenAct: "relu2" });
    for (const engine of engines) engine.dispose();
  });

  it("splits text as LLaMA-3 does, though the file does not name its pre-tokenizer", async () => {
    const engine = await load("official.gguf", officialFile(officialTensors(x86)));
    const tokenizer = tokenizerOf(engine);
    engine.dispose();
    const ids = tokenizer.encode("hello 1234");
    expect(ids.slice(0, 2)).toEqual([vocab - 3, 257]);
    expect(tokenizer.decode(ids.slice(1))).toBe("hello 1234");
    const split = tokenizer.json as unknown as { pre_tokenizer: { pretokenizers: { pattern?: { Regex: string } }[] } };
    expect(split.pre_tokenizer.pretokenizers[0]!.pattern?.Regex).toContain("\\p{N}{1,3}");
  });

  it("of another vocabulary is split as llama.cpp does by default", async () => {
    const other = vocabulary().map((token) => token.replace("<|begin_of_text|>", "<|bos|>"));
    const engine = await load(
      "other.gguf",
      officialFile(officialTensors(x86), { "tokenizer.ggml.tokens": { strings: other } }),
    );
    const { json } = tokenizerOf(engine) as unknown as { json: { pre_tokenizer: { pretokenizers: object[] } } };
    expect(json.pre_tokenizer.pretokenizers).toHaveLength(5);
    engine.dispose();
  });

  it("loads with random weights, which have no tie between channels", async () => {
    (await load("random.gguf", officialFile(officialTensors(x86, false)))).dispose();
  });
});

describe("I2_S of other builds and packers", () => {
  it.each([
    ["bitnet.cpp on ARM", arm],
    ["a sequential packer", sequential],
  ])("in the order of %s is refused with the reason", async (name, place) => {
    await expect(load("variant.gguf", officialFile(officialTensors(place)))).rejects.toThrow(`in the order of ${name}`);
  });

  it("padded between tensors is refused", async () => {
    const padded = officialTensors(x86);
    const up = padded.find(({ name }) => name === "blk.1.ffn_up.weight")!;
    up.bytes = Buffer.concat([up.bytes, Buffer.alloc(96)]);
    await expect(load("padded.gguf", officialFile(padded))).rejects.toThrow(
      'tensor "blk.1.ffn_up.weight" (I2_S) takes 65664 bytes of the file, n / 4 + 32 are 65568: a padded',
    );
  });

  it("without room for the scale is refused", async () => {
    const bare = [...matrices(true).map((m) => i2s(m, x86, 0)), ...floatTensors()];
    await expect(load("bare.gguf", officialFile(bare))).rejects.toThrow(
      "an I2_S without room for its scale (n / 4 + 32 bytes)",
    );
  });
});
