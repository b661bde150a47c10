/** Zstandard and LZ4, as the files of other programs have them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { unpackLz4Frame } from "../../src/data/lz4_frame.ts";
import { documentsOf, fileOf, inputs, rowsOf } from "./data_folder.ts";

const input = (name: string) => path.join(inputs, name);

describe("Zstandard", () => {
  const packed = readFileSync(input("a.jsonl.zst"));
  const fails = (content: Uint8Array, message: RegExp) =>
    expect(documentsOf(fileOf("b.jsonl.zst", content))).rejects.toThrow(message);

  it("is read in one frame or several, with any ending", async () => {
    const once = await documentsOf(input("a.jsonl.zst"));
    expect(once).toEqual(Array(once.length).fill("one two three"));
    // As pzstd writes: a frame to be skipped before each.
    const skipped = Buffer.from("502a4d180400000061626364", "hex");
    const twice = Buffer.concat([skipped, packed, skipped, packed]);
    for (const name of ["b.jsonl.zst", "B.JSONL.ZSTD", "b.jsonl"]) {
      expect(await documentsOf(fileOf(name, twice))).toEqual([...once, ...once]);
    }
  });

  it("that is damaged, cut or has too large a window is an error", async () => {
    const damaged = Buffer.from(packed);
    damaged[20] ^= 1;
    await fails(damaged, /b\.jsonl\.zst: the Zstandard data are damaged/);
    await fails(packed.subarray(0, -6), /b\.jsonl\.zst: /);
    await fails(Buffer.concat([packed, Buffer.from("garbage behind it")]), /are damaged/);
    // The header of a frame with a window of 2 GiB.
    await fails(Buffer.from("28b52ffd04a84c130c2e", "hex"), /window is 2048 MiB, and 128 are read/);
  });
});

describe("Arrow files of pyarrow and pandas", () => {
  it.each(["lz4_default.feather", "zstd.arrow"])("%s holds the same rows as without compression", async (name) => {
    const rows = await rowsOf(input("uncompressed.arrow"));
    expect(rows).toHaveLength(3);
    expect(await rowsOf(input(name))).toEqual(rows);
  });
});

/** `abc`, 40 times, by the lz4 program, with content size and checksums. */
const lz4Hex = "04224d187440bd0d0000003f61626303005d506263616263bf4e9623000000008f603fc9";

describe("LZ4 frames", () => {
  const frame = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
  it("are unpacked", () => {
    const text = Buffer.from(unpackLz4Frame(frame(lz4Hex))).toString();
    expect(text).toBe("abc".repeat(40));
  });

  it("that are damaged are refused", () => {
    const bytes = frame(lz4Hex);
    expect(() => unpackLz4Frame(bytes.subarray(0, 20))).toThrow("end too early");
    expect(() => unpackLz4Frame(bytes.subarray(1))).toThrow("not an LZ4 frame");
    const wrong = Uint8Array.from(bytes);
    wrong[wrong.indexOf(3, 15)] = 9;
    expect(() => unpackLz4Frame(wrong)).toThrow("damaged");
  });
});
