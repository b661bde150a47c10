import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CheckpointError } from "../../src/checkpoint/checkpoint_error.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_file.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-safetensors-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = path.join(folder, "model.safetensors");

function craftBytes(bytes: Buffer): string {
  const crafted = path.join(folder, "crafted.safetensors");
  writeFileSync(crafted, bytes);
  return crafted;
}

/** A file with this header text (or object) and this many bytes of data. */
function craft(header: string | object, dataBytes: number, claimedLength?: bigint): string {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimedLength ?? BigInt(text.length));
  return craftBytes(Buffer.concat([length, text, Buffer.alloc(dataBytes)]));
}

const entry = (overrides: object) => ({ t: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...overrides } });

describe("round trip", () => {
  test("types, shapes, bytes and metadata", async () => {
    const float = Float32Array.of(1.5, -2, 3e-8, 0, -0, Number.POSITIVE_INFINITY);
    await writeSafetensors(
      file,
      [
        { name: "a.weight", dtype: "F32", shape: [2, 3], data: () => float },
        { name: "codes", dtype: "I8", shape: [5], data: async () => Int8Array.of(-1, 0, 1, 127, -128) },
        { name: "half", dtype: "F16", shape: [2, 1], data: () => Uint16Array.of(0x3c00, 0xc500) },
        { name: "brain", dtype: "BF16", shape: [1], data: () => Uint16Array.of(0x3fc0) },
        { name: "ids", dtype: "I64", shape: [1], data: () => BigInt64Array.of(-5n) },
        { name: "steps", dtype: "I32", shape: [], data: () => Int32Array.of(9) },
        { name: "empty", dtype: "U8", shape: [0, 4], data: () => new Uint8Array(0) },
      ],
      { step: "12" },
    );
    const tensors = await SafetensorsFile.open(file);
    expect(tensors.names()).toEqual(["a.weight", "codes", "half", "brain", "ids", "steps", "empty"]);
    expect(tensors.metadata).toEqual({ format: "pt", step: "12" });
    expect(tensors.info("a.weight")).toEqual({ dtype: "F32", shape: [2, 3] });
    expect(tensors.info("steps")).toEqual({ dtype: "I32", shape: [] });
    expect(await tensors.readFloat32("a.weight")).toEqual(float);
    expect(await tensors.readFloat32("half")).toEqual(Float32Array.of(1, -5));
    expect(await tensors.readFloat32("brain")).toEqual(Float32Array.of(1.5));
    expect(new Int8Array((await tensors.readBytes("codes")).buffer)).toEqual(Int8Array.of(-1, 0, 1, 127, -128));
    expect(new BigInt64Array((await tensors.readBytes("ids")).buffer)).toEqual(BigInt64Array.of(-5n));
    expect((await tensors.readBytes("empty")).length).toBe(0);
    await expect(tensors.readFloat32("codes")).rejects.toThrow("tensor codes has type I8, expected F32, F16 or BF16");
    await expect(tensors.readFloat32("none")).rejects.toThrow(`${file} has no tensor none`);
    await tensors.close();
    expect(Number(readFileSync(file).readBigUInt64LE(0)) % 8).toBe(0);
  });

  test("a view into a larger buffer is written alone", async () => {
    const values = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    await writeSafetensors(file, [{ name: "x", dtype: "F32", shape: [2], data: () => values }]);
    const tensors = await SafetensorsFile.open(file);
    expect(await tensors.readFloat32("x")).toEqual(Float32Array.of(2, 3));
    await tensors.close();
  });

  test("data of another size than the shape is refused", async () => {
    const wrong = writeSafetensors(file, [{ name: "x", dtype: "F32", shape: [3], data: () => new Float32Array(2) }]);
    await expect(wrong).rejects.toThrow("tensor x of shape [3] needs 12 bytes, got 8");
  });

  test("a place that cannot be written is named", async () => {
    const nowhere = path.join(folder, "missing", "x.safetensors");
    await expect(writeSafetensors(nowhere, [])).rejects.toThrow(`cannot write ${nowhere}: no such file or folder`);
  });
});

test.skipIf(!existsSync("/dev/full"))("a full device (needs /dev/full)", async () => {
  const writing = writeSafetensors("/dev/full", [
    { name: "x", dtype: "U8", shape: [9], data: () => new Uint8Array(9) },
  ]);
  await expect(writing).rejects.toThrow("cannot write /dev/full: no space left on the disk");
});

describe("damaged and hostile files", () => {
  const huge = 2 ** 53 - 1;
  test.each<[string, () => string, RegExp]>([
    ["missing", () => path.join(folder, "nothing"), /cannot read .*nothing: no such file/],
    ["empty", () => craftBytes(Buffer.alloc(0)), /is truncated: 0 bytes/],
    ["header cut off", () => craft("{}", 0, 500n), /truncated: its header needs 508 bytes, the file has 10/],
    ["absurd header length", () => craft("{}", 0, 2n ** 63n), /not a safetensors file: its header claims/],
    ["header over the limit", () => craft("{}", 0, 100_000_001n), /not a safetensors file/],
    ["not JSON", () => craft("{nope", 0), /header is not JSON/],
    ["not an object", () => craft("[1]", 0), /not a JSON object/],
    ["data cut off", () => craft(entry({}), 7), /is truncated: it has \d+ bytes, not \d+/],
    ["data too long", () => craft(entry({}), 9), /is longer than its header says/],
    ["unknown type", () => craft(entry({ dtype: "F8" }), 8), /tensor "t" has type "F8"; supported: F32/],
    ["type from Object.prototype", () => craft(entry({ dtype: "toString" }), 8), /has type "toString"/],
    ["negative dimension", () => craft(entry({ shape: [-2] }), 8), /invalid shape/],
    ["fractional dimension", () => craft(entry({ shape: [1.5] }), 8), /invalid shape/],
    ["overflowing shape", () => craft(entry({ shape: [huge, huge] }), 8), /does not fit its 8 bytes/],
    ["wrapping shape", () => craft(entry({ shape: [2 ** 32, 2 ** 32, 0.5] }), 8), /invalid shape/],
    ["too many dimensions", () => craft(entry({ shape: Array(9).fill(1) }), 4), /invalid shape/],
    ["offsets backwards", () => craft(entry({ data_offsets: [8, 0] }), 8), /invalid data offsets/],
    ["offsets missing", () => craft(entry({ data_offsets: undefined }), 8), /invalid data offsets/],
    ["size and offsets disagree", () => craft(entry({ shape: [3] }), 8), /of shape \[3\] F32 does not fit its 8 bytes/],
    ["a hole", () => craft(entry({ data_offsets: [4, 12] }), 12), /overlaps another or leaves a hole/],
    [
      "overlap",
      () => craft({ ...entry({}), u: { dtype: "F32", shape: [2], data_offsets: [4, 12] } }, 12),
      /tensor "u" overlaps/,
    ],
    ["no description", () => craft({ t: null }, 0), /tensor "t" has no description/],
    ["metadata of another kind", () => craft({ __metadata__: { a: 1 } }, 0), /__metadata__ is not a map of strings/],
  ])("%s", async (_, make, message) => {
    const opening = SafetensorsFile.open(make());
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(CheckpointError);
    await expect(opening).rejects.not.toThrow("\n");
  });
});
