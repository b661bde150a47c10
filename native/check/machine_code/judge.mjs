/** Which loops are clean, and which of those that are not may be so. */

/**
 * @import { HotLoop } from "./loops.mjs"
 * @import { Exception } from "./exceptions.mjs"
 * @typedef {HotLoop & { file: string, name: string, toolchain: string }} NamedLoop
 */

/**
 * A loop is clean if it spills nothing and reloads little: one instruction in eight. A CPU that starts four instructions
 * a cycle starts two loads, so these take at most a quarter of what it can load.
 */
export function isClean(/** @type {HotLoop} */ { body, spills, reloads }) {
  return spills === 0 && reloads * 8 <= body.length;
}

/**
 * @returns {{ faults: NamedLoop[], excused: NamedLoop[], idle: Exception[] }} `idle`: entries that excuse no loop though
 *   a toolchain of theirs was `checked`
 */
export function judge(
  /** @type {NamedLoop[]} */ loops,
  /** @type {Exception[]} */ exceptions,
  /** @type {string[]} */ checked,
) {
  const used = new Set();
  const faults = [];
  const excused = [];
  for (const loop of loops) {
    if (isClean(loop)) continue;
    const entry = exceptions.find(
      ({ file, name, toolchains, spills, reloads }) =>
        file.test(loop.file) &&
        name.test(loop.name) &&
        toolchains.test(loop.toolchain) &&
        loop.spills <= spills &&
        loop.reloads <= reloads,
    );
    if (entry) used.add(entry);
    (entry ? excused : faults).push(loop);
  }
  const idle = exceptions.filter((entry) => !used.has(entry) && checked.some((name) => entry.toolchains.test(name)));
  return { faults, excused, idle };
}
