/** Files that cannot be run: one clear line that says what is wrong and where, never a crash. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../../native/inference/engine.ts";
import { ModelFileError } from "../../../native/inference/native_engine.ts";
import { GgufFile } from "../../../src/gguf/gguf_reader.ts";
import { exportSmallModel, temporaryFolder } from "./exported_model.ts";

const folder = temporaryFolder("malformed-");
afterAll(() => folder.remove());
const original = path.join(folder.path, "original.gguf");
const broken = path.join(folder.path, "broken.gguf");
let bytes: Buffer;
beforeAll(async () => {
  await exportSmallModel(original, "tq2_0");
  bytes = readFileSync(original);
});

async function failure(content: Uint8Array): Promise<string> {
  writeFileSync(broken, content);
  const error = await Engine.load(broken).then(
    (engine) => {
      engine.dispose();
      throw new Error("the file was accepted");
    },
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(ModelFileError);
  expect(error.message).not.toContain("\n");
  return error.message;
}

/** The file with `patch` written at `offset`. */
function patched(offset: number, patch: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.set(patch, offset);
  return copy;
}

function uint64(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}

/** Offset just behind the first occurrence of a string with its length prefix. */
function behind(text: string): number {
  const at = bytes.indexOf(Buffer.concat([uint64(BigInt(text.length)), Buffer.from(text)]));
  expect(at).toBeGreaterThan(0);
  return at + 8 + text.length;
}

describe("a file that is not a whole GGUF", () => {
  it("is missing", async () => {
    await expect(Engine.load(path.join(folder.path, "nowhere.gguf"))).rejects.toThrow(
      "nowhere.gguf: No such file or directory",
    );
  });
  it("is a folder", async () => {
    await expect(Engine.load(folder.path)).rejects.toThrow("not a regular file");
  });
  it("is empty", async () => {
    expect(await failure(new Uint8Array())).toMatch("truncated file: magic at byte 0");
  });
  it("has another magic", async () => {
    expect(await failure(patched(0, Buffer.from("GGML")))).toMatch('starts with "GGML"');
  });
  it("has an unknown version, or is big-endian", async () => {
    expect(await failure(patched(4, Uint8Array.of(9)))).toMatch("GGUF version 9 at byte 4");
    expect(await failure(patched(4, Uint8Array.of(0, 0, 0, 3)))).toMatch("big-endian");
  });
  it("has absurd counts", async () => {
    expect(await failure(patched(8, uint64(1n << 60n)))).toMatch("tensor count 1152921504606846976 at byte 8");
    expect(await failure(patched(16, uint64(1n << 40n)))).toMatch("metadata count");
  });
  it("has a string longer than the file", async () => {
    expect(await failure(patched(24, uint64(60000n)).subarray(0, 500))).toMatch(
      "truncated file: key 0 at byte 32 needs 60000 bytes, the file ends after 468",
    );
    expect(await failure(patched(24, uint64(1n << 63n)))).toMatch("the limit is 65535");
  });
  it("is cut in the header or the data", async () => {
    for (const size of [10, 100, 1000, bytes.length >> 1, bytes.length - 1]) {
      expect(await failure(bytes.subarray(0, size))).toMatch(/truncated file: .* (at byte|bytes)/);
    }
  });
});

describe("a tensor", () => {
  const name = "blk.1.ffn_up.weight";
  it("has a type that is not supported", async () => {
    expect(await failure(patched(behind(name) + 20, Uint8Array.of(10)))).toMatch(
      /tensor "blk.1.ffn_up.weight" at byte \d+ has type 10 \(Q2_K\), supported are F32, F16/,
    );
    expect(await failure(patched(behind(name) + 20, Uint8Array.of(39)))).toMatch(
      /has type 39 \(TL2\), a layout made for the kernels of one machine and shape: convert the model to I2_S/,
    );
  });
  it("has dimensions that overflow", async () => {
    expect(await failure(patched(behind(name) + 4, uint64(1n << 62n)))).toMatch(/"blk.1.ffn_up.weight".*limit/);
  });
  it("has another shape than the metadata say", async () => {
    expect(await failure(patched(behind(name) + 12, uint64(256n)))).toMatch(
      'tensor "blk.1.ffn_up.weight" has shape [256, 256], the metadata ask for [256, 512]',
    );
  });
  it("lies outside the file, or not on the alignment", async () => {
    expect(await failure(patched(behind(name) + 24, uint64(1n << 40n)))).toMatch("truncated file");
    expect(await failure(patched(behind(name) + 24, uint64(7n)))).toMatch("not a multiple of 32");
  });
  it("overlaps another one", async () => {
    expect(await failure(patched(behind(name) + 24, uint64(0n)))).toMatch("overlap");
  });
  it("is missing", async () => {
    expect(await failure(patched(behind(name) - 9, Buffer.from("x")))).toMatch(
      'tensor "blk.1.ffn_up.weight" is missing',
    );
  });
  it("has a scale or a code that no ternary row has", async () => {
    const file = await GgufFile.open(original);
    const { offset } = file.info("blk.0.ffn_down.weight"); // two blocks per row
    await file.close();
    // The float16 behind the 64 bytes of codes of the first block becomes infinite.
    expect(await failure(patched(offset + 64, Uint8Array.of(0x00, 0x7c)))).toMatch(
      'tensor "blk.0.ffn_down.weight" (TQ2_0): row 0 has scale inf',
    );
    expect(await failure(patched(offset, Uint8Array.of(0xff)))).toMatch("row 0 holds a code that is not ternary");
  });
});

describe("metadata", () => {
  it("name an architecture that is not supported", async () => {
    const at = bytes.indexOf("bitnet-b1.58");
    expect(await failure(patched(at, Buffer.from("bitnet-b1.99")))).toMatch(
      '"general.architecture" is "bitnet-b1.99", which is not supported',
    );
  });
  it("lack a key", async () => {
    const at = bytes.indexOf("bitnet-b1.58.block_count");
    expect(await failure(patched(at, Buffer.from("bitnet-b1.58.block_xxxxx")))).toMatch(
      'metadata "bitnet-b1.58.block_count" is missing',
    );
  });
  it("ask for more layers than there are", async () => {
    const at = behind("bitnet-b1.58.block_count") + 4;
    expect(await failure(patched(at, Uint8Array.of(0, 8)))).toMatch('tensor "blk.2047.attn_norm.weight" is missing');
    expect(await failure(patched(at, Uint8Array.of(0xff, 0xff, 0xff, 0xff)))).toMatch("must be an integer from 1 to");
  });
});
