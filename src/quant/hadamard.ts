/**
 * The Walsh-Hadamard transform, normalized: H = H_n / sqrt(n) with H_1 = 1 and H_2n = [H_n H_n; H_n -H_n]. H is symmetric
 * and orthogonal, so it is its own inverse and its own gradient.
 *
 *     for h = 1, 2, 4, ..., n / 2:    a, b = x[i], x[i + h]   ->   a + b, a - b       for each i whose bit h is 0
 *     y = x * float32(1 / sqrt(n))
 *
 * Every operation is float32, the stages in this order. Twin of `hadamard_row` in native/cc/core.
 */

/** Width of a block: the largest power of two that divides `width`. */
function hadamardBlock(width: number): number {
  return width & -width;
}

/** A new array: each block of the rows of x [rows, width] transformed. */
export function hadamardRows(x: Float32Array, width: number): Float32Array {
  const block = hadamardBlock(width);
  const y = Float32Array.from(x);
  for (let h = 1; h < block; h *= 2) {
    for (let i = 0; i < y.length; i++) {
      if ((i % block) & h) continue;
      const [a, b] = [y[i], y[i + h]];
      y[i] = a + b;
      y[i + h] = a - b;
    }
  }
  const factor = Math.fround(1 / Math.sqrt(block));
  return y.map((value) => value * factor);
}
