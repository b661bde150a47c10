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
    spills: 62,
    reloads: 92,
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
    file: /loops_/,
    name: /^round_stochastic$/,
    toolchains: /gcc/,
    spills: 14,
    reloads: 32,
    reason: "GCC works on as many values as there are bytes in a vector; what it stores is read in the same iteration",
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
    file: /loops_avx2\.cc$/,
    name: /^adamw$/,
    toolchains: /clang x86_64/,
    spills: 0,
    reloads: 3,
    reason: "nine factors and 16 registers, in a loop that waits for memory: it reads four streams and writes three",
  },
];
