/**
 * Which vector loads and stores of a loop are spills.
 *
 * A spill is a store of a vector to a place of the stack frame that the loop reads at the same address: a round trip
 * through memory for a value that wants to be in a register, be it a spilled register or an accumulator that stands in
 * an array. A store that the loop does not read is a result or fills a local array. A read of a fixed place that the loop
 * does not write is a value that found no register, which costs a load. The frame is found by following the stack pointer through copies, additions and slots, so a frame pointer in any register counts, and a
 * register that merely bears a frame pointer's name does not.
 *
 * The value of a register is known as "+N" (the stack pointer plus N), or as "@A": a frame address that was made by the
 * instruction (or by the meeting of paths) at address A. "@A" with A inside of a loop moves in that loop.
 */

/**
 * @import { Instruction } from "./disassembly.mjs"
 * @typedef {{ begin: number, end: number, next: number[] }} Block of instructions [begin, end)
 * @typedef {Map<string, string>} Frame known frame addresses, by register or slot
 */

function step(/** @type {Instruction} */ instruction, /** @type {Frame} */ frame, isa) {
  const { target, sources, offset, loses } = isa.effect(instruction);
  for (const name of loses) frame.delete(name);
  if (target === undefined) return;
  const values = sources.map((name) => frame.get(name)).filter((value) => value !== undefined);
  if (values.length === 0) frame.delete(target);
  else if (offset === undefined) frame.set(target, `@${instruction.address}`);
  else if (values[0].startsWith("+")) frame.set(target, `+${Number(values[0].slice(1)) + offset}`);
  else frame.set(target, offset === 0 ? values[0] : `@${instruction.address}`);
}

/** The frame addresses known where each block begins, on any path. @returns {Frame[]} */
export function frameAddresses(/** @type {Instruction[]} */ body, /** @type {Block[]} */ blocks, isa) {
  const frames = blocks.map(() => new Map([[isa.stackPointer, "+0"]]));
  const queue = new Set(blocks.keys());
  for (const block of queue) {
    queue.delete(block);
    const frame = new Map(frames[block]);
    for (let i = blocks[block].begin; i < blocks[block].end; ++i) step(body[i], frame, isa);
    for (const next of blocks[block].next) {
      for (const [name, value] of frame) {
        const known = frames[next].get(name);
        const meeting = `@${body[blocks[next].begin].address}`;
        if (known === value || known === meeting) continue;
        frames[next].set(name, known === undefined ? value : meeting);
        queue.add(next);
      }
    }
  }
  return frames;
}

/**
 * Counts the spills of a loop, given its blocks and the frame addresses at the beginning of each.
 * @returns {{ spills: number, reloads: number }} `spills`: stores to a place that the same iteration reads.
 *   `reloads`: reads of a fixed place, those of spills and those of values that no iteration changes.
 */
export function spillsOf(/** @type {{ code: Instruction[], frame: Frame }[]} */ blocks, isa) {
  const code = blocks.flatMap((block) => block.code);
  const inside = new Set(code.map(({ address }) => address));
  const written = new Set(code.map((instruction) => isa.effect(instruction)).flatMap((e) => [e.target, ...e.loses]));
  /** The place of the frame that an instruction reads or writes, or undefined if it uses no vector of the frame. */
  const placeOf = (/** @type {Instruction} */ instruction, /** @type {Frame} */ frame) => {
    const memory = isa.memory(instruction);
    const base = memory?.registers.find((/** @type {string} */ name) => frame.has(name));
    if (!memory?.vector || base === undefined) return undefined;
    const value = frame.get(base);
    const moves = value.startsWith("+") ? false : inside.has(Number(value.slice(1)));
    const others = memory.registers.filter((/** @type {string} */ name) => name !== base);
    const begin = memory.offset + (value.startsWith("+") ? Number(value.slice(1)) : 0);
    const origin = [value.startsWith("+") ? "+" : value, ...others].join();
    const fixed = !moves && !others.some((/** @type {string} */ name) => written.has(name));
    return { store: memory.store, fixed, origin, begin, bytes: memory.bytes };
  };
  const places = blocks.flatMap((block) => {
    const frame = new Map(block.frame);
    return block.code.flatMap((instruction) => {
      const place = placeOf(instruction, frame);
      step(instruction, frame, isa);
      return place ? [place] : [];
    });
  });
  const loads = places.filter(({ store }) => !store);
  const spills = places.filter(
    ({ store, origin, begin, bytes }) =>
      store &&
      loads.some((load) => load.origin === origin && load.begin < begin + bytes && begin < load.begin + load.bytes),
  );
  return { spills: spills.length, reloads: loads.filter(({ fixed }) => fixed).length };
}
