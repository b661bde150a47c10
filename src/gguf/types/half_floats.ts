/** Two bytes, the lower first: the float16 scales of blocks, and rows of 16-bit floats. */

export function writeUint16(out: Uint8Array, at: number, bits: number): void {
  out[at] = bits;
  out[at + 1] = bits >> 8;
}

export function readUint16(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

/** A row as 16-bit floats. @param toBits of a float32 @param toFloat its inverse */
export function halfFloatRows(toBits: (value: number) => number, toFloat: (bits: number) => number) {
  return {
    packRow(values: Float32Array, out: Uint8Array, offset: number): void {
      for (let i = 0; i < values.length; i++) writeUint16(out, offset + 2 * i, toBits(values[i]));
    },
    unpackRow(bytes: Uint8Array, offset: number, values: Float32Array): void {
      for (let i = 0; i < values.length; i++) values[i] = toFloat(readUint16(bytes, offset + 2 * i));
    },
  };
}
