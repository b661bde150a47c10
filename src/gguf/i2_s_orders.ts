/**
 * The orders in which programs store the codes of I2_S, which nothing in a file tells. A byte holds four codes, in bits
 * 6, 4, 2 and 0 (slots 0 to 3); of a matrix with `cols` columns
 *
 *   x86      128 codes in 32 bytes: element 32 slot + byte of a block. bitnet.cpp's converter and its x86 build: read here
 *   arm      64 codes in 16 bytes: element 16 slot + byte of a block. bitnet.cpp's quantizer on ARM
 *   rows     four rows in `cols` bytes: row slot, column byte. bitnet.cpp's quantizer on x86 without ACT_PARALLEL
 *   serial   four neighbours in a byte, the first one in the lowest bits. Packers of other projects
 *
 * Source: quantize_i2_s of microsoft/BitNet, src/ggml-bitnet-mad.cpp.
 */

export const i2sOrders = ["x86", "arm", "rows", "serial"] as const;
export type I2sOrder = (typeof i2sOrders)[number];

export const i2sOrderTexts: Record<I2sOrder, string> = {
  x86: "x86 (128 codes in 32 bytes)",
  arm: "ARM (64 codes in 16 bytes)",
  rows: "x86 without ACT_PARALLEL (four rows in a byte)",
  serial: "serial (four neighbours in a byte)",
};

/** Those that keep every code in its row, and so in any run of whole rows. */
export type RowKeepingOrder = Exclude<I2sOrder, "rows">;
export const rowKeepingOrders = ["x86", "arm", "serial"] as const satisfies readonly RowKeepingOrder[];

/** Codes of a byte, and where those of a block of 128 lie in its 32 bytes. */
const slots = 4;
const blockBytes = 32;

/**
 * The same codes in the order of x86.
 * @param packed whole groups of four rows (of any rows for orders that stay inside one), `cols / 4` bytes a row
 * @param cols a multiple of 128
 */
export function toX86Order(packed: Uint8Array, cols: number, order: I2sOrder): Uint8Array {
  if (order === "x86") return packed;
  const out = new Uint8Array(packed.length);
  const rowBytes = cols / slots;
  for (let at = 0; at < packed.length; at++) {
    const group = order === "rows" ? Math.floor(at / cols) : 0;
    for (let slot = 0; slot < slots; slot++) {
      const code = (packed[at] >> (6 - 2 * slot)) & 3;
      if (order === "rows") {
        put(out, (slots * group + slot) * rowBytes, at - group * cols, code);
      } else {
        const block = at - (at % blockBytes);
        put(out, block, elementOf[order](slot, at % blockBytes), code);
      }
    }
  }
  return out;
}

/** The element of a block of 128 that a slot of its byte holds. */
const elementOf = {
  arm: (slot: number, byte: number) => (byte >> 4) * 64 + slot * 16 + (byte & 15),
  serial: (slot: number, byte: number) => byte * slots + (slots - 1 - slot),
};

/** Stores the code of an element of the row that begins at `start`, in the order of x86. */
function put(out: Uint8Array, start: number, element: number, code: number): void {
  const inBlock = element % (slots * blockBytes);
  out[start + (element - inBlock) / slots + (inBlock % blockBytes)] |=
    code << (6 - 2 * Math.floor(inBlock / blockBytes));
}
