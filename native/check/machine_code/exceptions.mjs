/**
 * Hot loops that may keep vectors on the stack, each with the reason.
 *
 * `file` and `name` match the source ("core/kernels_scalar.cc") and the function; `toolchains` are those it holds for;
 * `spills` and `reloads` the most that a loop may have. The check fails if an entry matches no loop that needs it.
 */

/**
 * @typedef {{ file: RegExp, name: RegExp, toolchains: RegExp, spills: number, reloads: number, reason: string }} Exception
 */

/** @type {Exception[]} */
export const exceptions = [
  {
    file: /_scalar\.cc$/,
    name: /./,
    toolchains: /./,
    spills: 13,
    reloads: 27,
    reason: "the reference that defines the results: no CPU of today runs it unless it is asked to",
  },
];
