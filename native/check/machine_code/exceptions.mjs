/**
 * Hot loops that may keep vectors on the stack, each with the reason.
 *
 * `file` and `name` match the source ("core/kernels_scalar.cc") and the function; `toolchains` ("gcc x86_64") those it
 * holds for; `spills` and `reloads` are the most that a loop may have. The check fails if an entry excuses no loop.
 */

/**
 * @typedef {{ file: RegExp, name: RegExp, toolchains: RegExp, spills: number, reloads: number, reason: string }} Exception
 */

/** @type {Exception[]} */
export const exceptions = [
  {
    file: /_scalar\.cc$|loops_baseline\.cc$/,
    name: /./,
    toolchains: /./,
    spills: Number.POSITIVE_INFINITY,
    reloads: Number.POSITIVE_INFINITY,
    reason: "the reference variant: it defines the results, and runs only where it is asked for",
  },
  {
    file: /embedding\.cc$/,
    name: /round_rows/,
    toolchains: /x86_64/,
    spills: 36,
    reloads: 65,
    reason: "portable rounding to float16, once per step over the embedding, which has to be read from memory",
  },
  {
    file: /int8_rows\.cc$/,
    name: /quantize_int8_row/,
    toolchains: /clang x86_64/,
    spills: 4,
    reloads: 7,
    reason: "rint is a call on baseline x86-64; once per step over the head's rows, which have to be read from memory",
  },
  {
    file: /loops_avx2\.cc$/,
    name: /^unary$/,
    toolchains: /gcc x86_64/,
    spills: 0,
    reloads: 11,
    reason: "constants of exp that found none of 16 registers: a load from the stack is a load from anywhere",
  },
  {
    file: /loops_/,
    name: /^exp_bf16$/,
    toolchains: /gcc/,
    spills: 2,
    reloads: 11,
    reason: "GCC takes as many values at once as two-byte results fill a vector; spills are read in the same iteration",
  },
  {
    file: /loops_avx2\.cc$/,
    name: /^adamw$/,
    toolchains: /clang x86_64/,
    spills: 0,
    reloads: 3,
    reason: "nine factors and 16 registers, in a loop that waits for memory: it reads four streams and writes three",
  },
  {
    file: /loops_neon\.cc$/,
    name: /^(rms_norm_grad_row|scaled_abs_max)$/,
    toolchains: /aarch64/,
    spills: 5,
    reloads: 7,
    reason: "the last values of a row: NEON has no masked loads, so they go through a local array",
  },
  {
    file: /kernels_(avx2|neondot)\.cc$/,
    name: /^(attention|attend<|AttendTile<|log_sum_exp|silu_gate|gelu_gate)/,
    toolchains: /./,
    spills: 3,
    reloads: 9,
    reason:
      "exp fills the registers with its constants; a sum or two waits in memory, for less time than the next exp takes",
  },
  {
    file: /kernels_avx2\.cc$/,
    name: /^(stream_group<\d, \(RowType\)[345]>|dot_block<\(RowType\)5>|decode_row|multiply_rows)$/,
    toolchains: /gcc x86_64/,
    spills: 6,
    reloads: 6,
    reason: "blocks of Q8_0, Q6_K and Q4_K: their codes, scales and sums want a few registers more than 16",
  },
  {
    file: /kernels_avx2\.cc$/,
    name: /^(stream_group<\d, \(RowType\)7>|dot_block<\(RowType\)7>|decode_row)$/,
    toolchains: /gcc x86_64/,
    spills: 9,
    reloads: 17,
    reason: "blocks of Q5_K: masks and shifts of a fifth bit beside the others, once per 256 weights",
  },
  {
    file: /kernels_avx512vnni\.cc$/,
    name: /^(dot_block<\(RowType\)[36]>|multiply_rows)$/,
    toolchains: /gcc x86_64/,
    spills: 1,
    reloads: 1,
    reason: "one register among more than a hundred instructions on a block of Q8_0, Q4_0 or Q2_0",
  },
  {
    file: /kernels_(avx2|avx512vnni)\.cc$/,
    name: /^(decode_row|multiply_rows|linear_rows_of<\(RowType\)5>|stream_rows<\(RowType\)7>)$/,
    toolchains: /clang x86_64/,
    spills: 12,
    reloads: 63,
    reason: "blocks of Q8_0, Q6_K, Q5_K and Q4_K: clang unpacks all parts of a block before it uses the first",
  },
  {
    file: /kernels_neondot\.cc$/,
    name: /^(multiply_rows|linear_rows_of<\(RowType\)[57]>|stream_rows<\(RowType\)4>)$/,
    toolchains: /clang aarch64/,
    spills: 20,
    reloads: 26,
    reason:
      "blocks of Q8_0, Q6_K, Q5_K and Q4_K, as on x86-64; of other rows one register, the 33rd, in 58 instructions",
  },
  {
    file: /kernels_neondot\.cc$/,
    name: /^(multiply_rows|linear_rows_of<\(RowType\)6>)$/,
    toolchains: /clang aarch64/,
    spills: 39,
    reloads: 105,
    reason: "blocks of Q2_0: clang keeps a constant per byte in memory; llvm-mca predicts more cycles with fewer rows",
  },
  {
    file: /kernels_neondot\.cc$/,
    name: /^multiply_rows$/,
    toolchains: /gcc aarch64/,
    spills: 7,
    reloads: 10,
    reason: "a block of Q5_K: its codes are unpacked in registers that the sums of four rows want, too",
  },
  {
    file: /ternary_gemm_neondot\.cc$/,
    name: /^multiply_group_spans$/,
    toolchains: /clang aarch64/,
    spills: 2,
    reloads: 0,
    reason: "totals of a group begin at 0 in a local array, which tokens of a block share",
  },
];
