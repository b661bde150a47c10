/** I2_S in another order than x86's: found out or refused, and read as the same model. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { i2sOrderOf, type OrderOptions } from "../../cli/export_i2s_order.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import { rowKeepingOrders } from "../../src/gguf/i2_s_orders.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { type CodesOf, i2s, type Pack, randomCodes, tq2, writeHandModel } from "../inspect/made_files.ts";
import { titleUnless } from "../support/missing.ts";
import { hasNative } from "../support/tfjs_backends.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-order-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Four neighbours in a byte, the first in the lowest bits. */
const serial: Pack = (codes) => {
  const bytes = new Uint8Array(codes.length / 4 + 32);
  for (let i = 0; i < codes.length; i++) bytes[i >> 2] |= (codes[i] + 1) << (2 * (i & 3));
  new DataView(bytes.buffer).setFloat32(codes.length / 4, 0.02, true);
  return { type: 36, bytes };
};
const packs = { x86: i2s(32), arm: i2s(16), serial };

/** As training leaves them: channels of a feed-forward block that are sparse in gate and up are so in down. */
const tied: CodesOf = (name, rows, cols) => {
  const rng = new CounterRng(3, name);
  const channels = new CounterRng(3, "channels");
  const sparse = Array.from({ length: Math.max(rows, cols) }, () => channels.uniform() < 0.5);
  return Int8Array.from({ length: rows * cols }, (_, i) => {
    const channel = name.includes("ffn_down") ? i % cols : Math.floor(i / cols);
    if (rng.uniform() < (sparse[channel] ? 0.8 : 0.2)) return 0;
    return rng.uniform() < 0.5 ? -1 : 1;
  });
};

function made(name: string, pack: Pack, codes: CodesOf = tied): string {
  return writeHandModel(folder, name, { architecture: "bitnet-b1.58", pack, codes });
}
const files = { x86: made("x86", packs.x86), arm: made("arm", packs.arm), serial: made("serial", packs.serial) };

function orderOf(file: string, stated?: OrderOptions["stated"], lines: string[] = []) {
  return i2sOrderOf(file, { stated, text: "Some text.", say: (line) => lines.push(line) });
}

describe("the order of a file", () => {
  it("is x86's unless the codes show another one, which is named with the flag", async () => {
    expect(await orderOf(files.x86)).toBe("x86");
    expect(await orderOf(made("random", packs.arm, randomCodes))).toBe("x86");
    await expect(orderOf(files.arm)).rejects.toThrow(
      /arm\.gguf: its codes of I2_S are in the order ARM \(64 codes in 16 bytes\): zeros in rows .*; --i2s-order arm reads them so$/,
    );
    await expect(orderOf(files.serial)).rejects.toThrow(/--i2s-order serial reads them so$/);
  });

  it("is what the user says", async () => {
    expect(await orderOf(files.arm, "arm")).toBe("arm");
    expect(await orderOf(files.arm, "x86")).toBe("x86");
    await expect(orderOf(made("tq2", tq2), "arm")).rejects.toThrow(/^--i2s-order: .*tq2\.gguf has no I2_S$/);
  });
});

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the native addon", "the order by a text"), () => {
  it("is that of the codes where no text tells, and asked for where they do not either", async () => {
    const lines: string[] = [];
    expect(await orderOf(files.arm, "auto", lines)).toBe("arm");
    expect(lines.at(-1)).toMatch(/^I2_S is read in the order ARM \(64 codes in 16 bytes\): zeros in rows/);
    await expect(orderOf(made("unclear", packs.arm, randomCodes), "auto")).rejects.toThrow(
      /unclear\.gguf: the order of its codes of I2_S is not known: .*: say --i2s-order x86, arm or serial$/,
    );
  });
});

it.each(rowKeepingOrders)("%s is read as the same codes and scales, in any pieces", async (order) => {
  const x86 = await GgufFile.open(files.x86);
  const other = await GgufFile.open(files[order], order);
  for (const { name, bytes } of x86.tensors) {
    expect(await other.read(name), name).toEqual(await x86.read(name));
    if (!name.includes("ffn_down")) continue;
    expect(await other.read(name, 128, 640)).toEqual(await x86.read(name, 128, 640));
    expect(await other.read(name, bytes - 64, bytes)).toEqual(await x86.read(name, bytes - 64, bytes));
    expect(await other.read(name, bytes - 32, bytes)).toEqual(await x86.read(name, bytes - 32, bytes));
  }
  await Promise.all([x86.close(), other.close()]);
});
