import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gguf } from "@huggingface/gguf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import type { GgufMetadata, GgufValue } from "../../src/gguf/gguf_types.ts";
import { type GgufTensorSource, ggufFileBytes, writeGguf } from "../../src/gguf/gguf_writer.ts";
import { f16 } from "../../src/gguf/types/f16.ts";
import { f32 } from "../../src/gguf/types/f32.ts";
import { i2_s } from "../../src/gguf/types/i2_s.ts";
import { tq1_0 } from "../../src/gguf/types/tq1_0.ts";
import { tq2_0 } from "../../src/gguf/types/tq2_0.ts";

const folder = mkdtempSync(path.join(tmpdir(), "gguf-file-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

const metadata: GgufMetadata = new Map<string, GgufValue>([
  ["general.architecture", { type: "string", value: "bitnet-lab" }],
  ["a.uint8", { type: "uint8", value: 255 }],
  ["a.int8", { type: "int8", value: -128 }],
  ["a.uint16", { type: "uint16", value: 65535 }],
  ["a.int16", { type: "int16", value: -32768 }],
  ["a.uint32", { type: "uint32", value: 4294967295 }],
  ["a.int32", { type: "int32", value: -2147483648 }],
  ["a.uint64", { type: "uint64", value: 2 ** 53 - 1 }],
  ["a.int64", { type: "int64", value: -(2 ** 53) + 1 }],
  ["a.float32", { type: "float32", value: Math.fround(1e-5) }],
  ["a.float64", { type: "float64", value: Math.PI }],
  ["a.bool", { type: "bool", value: true }],
  ["a.text", { type: "string", value: "Ġü 漢字 🙂\u0000end" }],
  ["a.tokens", { type: "array", of: "string", value: ["", "Ċ", "x".repeat(70_000)] }],
  ["a.kinds", { type: "array", of: "int32", value: [1, 3, 5] }],
  ["a.flags", { type: "array", of: "bool", value: [true, false] }],
  ["a.empty", { type: "array", of: "string", value: [] }],
]);

/** A tensor of known bytes, produced in two pieces from one reused buffer. */
function source(name: string, type: GgufTensorSource["type"], shape: number[], size: number): GgufTensorSource {
  return {
    name,
    type,
    shape,
    async *bytes() {
      const first = Math.floor(size / 3);
      const buffer = new Uint8Array(size);
      for (const [begin, end] of [
        [0, first],
        [first, size],
      ]) {
        for (let i = begin; i < end; i++) buffer[i - begin] = (i * 7 + name.length) & 255;
        yield buffer.subarray(0, end - begin);
      }
    },
  };
}

const tensors = [
  source("token_embd.weight", f16, [5, 33], 330),
  source("blk.0.attn_norm.weight", f32, [33], 132),
  source("blk.0.attn_q.weight", tq2_0, [3, 512], 3 * 132),
  source("blk.0.attn_k.weight", i2_s, [3, 128], 96 + 32),
  source("blk.0.attn_v.weight", tq1_0, [1, 256], 54),
];

describe("a GGUF file", () => {
  beforeAll(() => writeGguf(at("whole.gguf"), metadata, tensors));

  it("gives back metadata, infos and bytes", async () => {
    const file = await GgufFile.open(at("whole.gguf"));
    expect([...file.metadata]).toEqual([...metadata]);
    expect(file.tensors.map(({ name, type, shape }) => ({ name, type, shape }))).toEqual(
      tensors.map(({ name, type, shape }) => ({ name, type, shape })),
    );
    for (const tensor of tensors) {
      expect(file.info(tensor.name).offset % 32).toBe(0);
      const bytes = await file.read(tensor.name);
      expect(bytes.every((byte, i) => byte === ((i * 7 + tensor.name.length) & 255))).toBe(true);
    }
    expect(await file.read("blk.0.attn_norm.weight", 130)).toHaveLength(2);
    await expect(file.read("blk.0.attn_norm.weight", 130, 133)).rejects.toThrow("bytes 130 to 133");
    expect(() => file.info("blk.9.attn_q.weight")).toThrow("it has no tensor blk.9.attn_q.weight");
    await file.close();
  });

  it("has the size that was announced", () => {
    expect(readFileSync(at("whole.gguf")).length).toBe(ggufFileBytes(metadata, tensors));
  });

  it("is read by @huggingface/gguf", async () => {
    const read = await gguf(at("whole.gguf"), { allowLocalFile: true });
    const facts = read.metadata as unknown as Record<string, unknown>;
    for (const [key, { value }] of metadata) {
      const expected = key.endsWith("int64") ? BigInt(value as number) : value;
      expect(facts[key], key).toEqual(expected);
    }
    const ours = await GgufFile.open(at("whole.gguf"));
    expect(read.tensorInfos.map((info) => info.name)).toEqual(tensors.map((tensor) => tensor.name));
    for (const info of read.tensorInfos) {
      const { shape, offset } = ours.info(info.name);
      expect(info.shape.map(Number).reverse()).toEqual(shape);
      expect(Number(info.offset + read.tensorDataOffset)).toBe(offset);
    }
    await ours.close();
  });
});

describe("malformed files", () => {
  let whole: Buffer;
  beforeAll(async () => {
    await writeGguf(at("good.gguf"), metadata, tensors);
    whole = readFileSync(at("good.gguf"));
  });

  async function errorOf(bytes: Uint8Array): Promise<string> {
    writeFileSync(at("bad.gguf"), bytes);
    const error = await GgufFile.open(at("bad.gguf")).then(
      () => null,
      (reason: Error) => reason,
    );
    expect(error?.name).toBe("GgufError");
    expect(error?.message.includes("\n")).toBe(false);
    return error!.message;
  }

  it("are refused wherever they are cut", async () => {
    for (let cut = 0; cut < whole.length; cut += 997) {
      expect(await errorOf(whole.subarray(0, cut)), `cut at ${cut}`).toMatch(/truncated/);
    }
    // The padding after the last tensor holds nothing.
    expect(await errorOf(whole.subarray(0, whole.length - 11))).toContain("truncated: tensor blk.0.attn_v.weight");
  });

  it("are named by what is wrong", async () => {
    const patched = (offset: number, ...bytes: number[]) => {
      const copy = Buffer.from(whole);
      copy.set(bytes, offset);
      return copy;
    };
    expect(await errorOf(patched(0, 0x47, 0x47, 0x4d, 0x4c))).toContain("not a GGUF file");
    expect(await errorOf(patched(4, 9))).toContain("GGUF version 9");
    const absurd = [255, 255, 255, 255, 255, 255, 255, 127];
    expect(await errorOf(patched(8, ...absurd))).toContain("the tensor count at byte 8 is 9223372036854775807");
    expect(await errorOf(patched(16, ...absurd))).toContain("the metadata count at byte 16");
    expect(await errorOf(patched(24, ...absurd))).toContain("length of metadata key 0 at byte 24");
    const typeOfFirst = 24 + 8 + "general.architecture".length;
    expect(await errorOf(patched(typeOfFirst, 77))).toContain("unknown value type 77");
    const info = whole.indexOf("blk.0.attn_q.weight") + "blk.0.attn_q.weight".length;
    expect(await errorOf(patched(info, 200))).toContain("200 dimensions");
    expect(await errorOf(patched(info + 4, ...absurd))).toContain("a size of blk.0.attn_q.weight");
    expect(await errorOf(patched(info + 4, 129))).toContain("TQ2_0 rows are multiples of 256");
    expect(await errorOf(patched(info + 4, 0, 0))).toContain("impossible shape [3, 0]");
    expect(await errorOf(patched(info + 20, 99))).toContain("type 99; read are TQ2_0, TQ1_0");
    expect(await errorOf(patched(info + 24, 1))).toContain("not aligned");
    expect(await errorOf(patched(info + 24, 0, 0, 1))).toContain("truncated: tensor blk.0.attn_q.weight");
  });

  it("never crash the reader, whatever a byte becomes", async () => {
    const headerBytes = whole.indexOf("blk.0.attn_v.weight") + 60;
    for (let offset = 0; offset < headerBytes; offset += offset < 1000 || offset > 70_900 ? 7 : 5003) {
      const copy = Buffer.from(whole);
      copy[offset] ^= 0xff;
      writeFileSync(at("bad.gguf"), copy);
      const outcome = await GgufFile.open(at("bad.gguf")).then(
        (file) => file.close().then(() => "GgufError"),
        (error: Error) => error.name,
      );
      expect(outcome, `byte ${offset}`).toBe("GgufError");
    }
  });

  it("may also be missing, or a folder", async () => {
    await expect(GgufFile.open(at("absent.gguf"))).rejects.toThrow(`${at("absent.gguf")}: no such file`);
    await expect(GgufFile.open(folder)).rejects.toThrow(/not a file/);
  });
});

describe("writing", () => {
  it("leaves the earlier file and nothing else when a tensor fails", async () => {
    await writeGguf(at("kept.gguf"), metadata, tensors);
    const before = readFileSync(at("kept.gguf"));
    const failing: GgufTensorSource = {
      ...tensors[0],
      async *bytes() {
        yield new Uint8Array(100);
        throw new Error("the checkpoint went away");
      },
    };
    await expect(writeGguf(at("kept.gguf"), metadata, [failing])).rejects.toThrow("the checkpoint went away");
    expect(readFileSync(at("kept.gguf")).equals(before)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.includes("partial"))).toEqual([]);
  });

  it("refuses a tensor that produces too few bytes", async () => {
    const short = { ...source("short", f32, [4], 12) };
    await expect(writeGguf(at("short.gguf"), metadata, [short])).rejects.toThrow(
      "short: 12 bytes produced, expected 16",
    );
  });
});
