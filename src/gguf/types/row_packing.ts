/** What the packers of one tensor type have in common. Rows are whole; packed bytes are little-endian. */

/** A type that stores float values. */
export interface FloatRowPacking {
  /** Packs one row of values into `out` at `offset` (`rowBytes` of them). */
  packRow(values: Float32Array, out: Uint8Array, offset: number): void;
  /** Fills `values` with the row that starts at `offset`. */
  unpackRow(bytes: Uint8Array, offset: number, values: Float32Array): void;
}

/** A type that stores ternary codes (-1, 0, 1) with one scale per block. */
export interface TernaryRowPacking {
  /** Elements that share a scale in the file; a row is a whole number of blocks. */
  blockElements: number;
  /** Packs one row of codes with the scale of the matrix into `out` at `offset`. */
  packRow(codes: Int8Array, scale: number, out: Uint8Array, offset: number): void;
  /** Fills `codes` with the row that starts at `offset`, and `scales` with one scale per block. */
  unpackRow(bytes: Uint8Array, offset: number, codes: Int8Array, scales: Float32Array): void;
}
