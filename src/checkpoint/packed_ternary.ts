/**
 * Hugging Face's packed BitNet weights: uint8 [out / 4, in] and one `weight_scale`.
 *
 *     byte[r, c], bits 2i .. 2i + 1  =  code[r + i * out / 4, c] + 1,   i = 0..3
 *
 * The class that wrote them decides what the scale means: `autobitlinear` multiplies by it (the absmean),
 * `bitlinear` divides by it (1 / absmean).
 */

/** Name of the scale that belongs to a packed weight. */
export function scaleName(weightName: string): string {
  return weightName.replace(/weight$/, "weight_scale");
}

/** True if all codes are ternary: the fourth value of two bits does not occur in a valid file. */
export function isTernaryPacked(packed: Uint8Array): boolean {
  for (let j = 0; j < packed.length; j++) {
    if ((packed[j] & (packed[j] >> 1) & 0x55) !== 0) return false;
  }
  return true;
}

/** Ternary codes [rows, cols] of packed bytes [rows / 4, cols]. */
export function unpackTernary(packed: Uint8Array, rows: number, cols: number): Int8Array {
  const quarter = rows / 4;
  const codes = new Int8Array(rows * cols);
  for (let i = 0; i < 4; i++) {
    const shift = 2 * i;
    const offset = i * quarter * cols;
    for (let j = 0; j < packed.length; j++) codes[offset + j] = ((packed[j] >> shift) & 3) - 1;
  }
  return codes;
}

/** Inverse of {@link unpackTernary}; rows is a multiple of 4. */
export function packTernary(codes: Int8Array, rows: number, cols: number): Uint8Array {
  const quarter = rows / 4;
  const packed = new Uint8Array(quarter * cols);
  for (let i = 0; i < 4; i++) {
    const shift = 2 * i;
    const offset = i * quarter * cols;
    for (let j = 0; j < packed.length; j++) packed[j] |= (codes[offset + j] + 1) << shift;
  }
  return packed;
}

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** The next larger float32 of a positive float32. */
function nextFloat32(value: number): number {
  floatView[0] = value;
  bitsView[0]++;
  return floatView[0];
}

/**
 * Latent weights that quantize to exactly these codes and this scale.
 *
 * `codes * scale` would keep the codes but not the scale: its mean magnitude is smaller by the fraction of zeros. The
 * latent magnitude is therefore scale * count / nonzeros, in float32; the first few of the nonzero elements take the
 * next larger float32, so many of them that the mean is `scale` far below half a unit in the last place.
 */
export function latentFromTernary(codes: Int8Array, scale: number): Float32Array {
  const latent = new Float32Array(codes.length);
  fillLatent(codes, scale, latent, 0);
  return latent;
}

/** {@link latentFromTernary} of weights that share a scale, into `latent` at `begin`. */
export function fillLatent(codes: Int8Array, scale: number, latent: Float32Array, begin: number): void {
  let nonzeros = 0;
  for (let i = 0; i < codes.length; i++) nonzeros += codes[i] & 1;
  latent.fill(0, begin, begin + codes.length);
  if (nonzeros === 0) return;

  const magnitude = (scale * codes.length) / nonzeros;
  let low = Math.fround(magnitude);
  if (low > magnitude) {
    floatView[0] = low;
    bitsView[0]--;
    low = floatView[0];
  }
  const high = nextFloat32(low);
  let raised = Math.round(((magnitude - low) / (high - low)) * nonzeros);
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] !== 0) latent[begin + i] = codes[i] * (raised-- > 0 ? high : low);
  }
}
