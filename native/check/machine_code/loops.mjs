/**
 * The hot loops of a compiled function: loops that multiply vectors and hold no other loop that does.
 *
 * Loops come from the control flow graph (strongly connected parts, then the same inside each without the edges to
 * its header), so neither the order of the blocks in memory nor a block placed elsewhere matters.
 */
import { frameAddresses, spillsOf } from "./stack_frame.mjs";

/**
 * @import { CompiledFunction, Instruction } from "./disassembly.mjs"
 * @import { Block } from "./stack_frame.mjs"
 * @typedef {{ body: Instruction[], header: number, products: number, spills: number, reloads: number }} HotLoop
 *   `body` in the order of the addresses; `header` is the address where the loop begins; `spills` and `reloads` as
 *   spillsOf() counts them
 */

/** Instructions that only fill space before an aligned block. */
export const isFiller = (/** @type {Instruction} */ { op, operands }) =>
  op.startsWith("nop") || (op === "xchg" && operands[0] === operands[1]);

/** @returns {Block[]} */
function blocksOf(/** @type {Instruction[]} */ body, isa) {
  const at = new Map(body.map(({ address }, i) => [address, i]));
  const targetOf = (/** @type {Instruction} */ instruction) =>
    isa.flow(instruction).jumps && instruction.target !== undefined ? at.get(instruction.target) : undefined;
  const targets = new Set(body.map(targetOf));
  const leaders = new Set([0]);
  body.forEach((instruction, i) => {
    const { jumps, ends } = isa.flow(instruction);
    if (targets.has(i)) leaders.add(i);
    if (jumps || ends) leaders.add(i + 1);
  });
  const begins = [...leaders].filter((i) => i < body.length).sort((a, b) => a - b);
  const blockAt = new Map(begins.map((begin, block) => [begin, block]));
  /** @type {Block[]} */
  const blocks = begins.map((begin, block) => ({ begin, end: begins[block + 1] ?? body.length, next: [] }));
  const indirect = [];
  const reached = new Set([0]);
  for (const block of blocks) {
    const last = body[block.end - 1];
    const flow = isa.flow(last);
    const target = targetOf(last);
    if (target !== undefined) block.next.push(blockAt.get(target));
    // What fills the space behind a jump up to an aligned block is never run: it leads nowhere.
    const behindJump = block.begin > 0 && isa.flow(body[block.begin - 1]).ends && !targets.has(block.begin);
    const filler = behindJump && body.slice(block.begin, block.end).every(isFiller);
    if (!flow.ends && !filler && block.end < body.length) block.next.push(blockAt.get(block.end));
    if (flow.indirect) indirect.push(block);
    for (const next of block.next) reached.add(next);
  }
  // A jump through a table may reach every block that nothing else reaches.
  const hidden = [...blocks.keys()].filter((block) => !reached.has(block));
  for (const block of indirect) block.next.push(...hidden);
  return blocks;
}

/** Strongly connected parts that hold a cycle, of the graph among `nodes` without the edges to `cut`. */
function cycles(/** @type {Block[]} */ blocks, /** @type {Set<number>} */ nodes, /** @type {number[]} */ cut) {
  const edges = (node) => blocks[node].next.filter((next) => nodes.has(next) && !cut.includes(next));
  const index = new Map();
  const low = new Map();
  const stack = [];
  const parts = [];
  const enter = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    return { node, edges: edges(node), at: 0 };
  };
  for (const root of nodes) {
    if (index.has(root)) continue;
    const path = [enter(root)];
    while (path.length > 0) {
      const top = path.at(-1);
      const next = top.edges[top.at++];
      if (next !== undefined) {
        if (!index.has(next)) path.push(enter(next));
        else if (stack.includes(next)) low.set(top.node, Math.min(low.get(top.node), index.get(next)));
        continue;
      }
      path.pop();
      const parent = path.at(-1)?.node;
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent), low.get(top.node)));
      if (low.get(top.node) !== index.get(top.node)) continue;
      const part = new Set(stack.splice(stack.indexOf(top.node)));
      if (part.size > 1 || edges(top.node).includes(top.node)) parts.push(part);
    }
  }
  return parts;
}

/** All loops, the inner ones after those around them. @returns {{ header: number, blocks: Set<number> }[]} */
function loopsOf(/** @type {Block[]} */ blocks) {
  const found = [];
  const search = (/** @type {Set<number>} */ nodes, /** @type {number[]} */ cut) => {
    for (const part of cycles(blocks, nodes, cut)) {
      // More than one where the compiler tests a condition of the first iteration ahead.
      const entered = [...part].filter((node) =>
        blocks.some(({ next }, from) => !part.has(from) && next.includes(node)),
      );
      const entries = entered.length > 0 ? entered : [Math.min(...part)];
      found.push({ header: Math.min(...entries), blocks: part });
      for (const entry of entries) found.push(...sharedHeader(blocks, part, entry));
      search(part, entries);
    }
  };
  search(new Set(blocks.keys()), []);
  return found;
}

/** Loops inside `part` that begin at its header, too: one for each jump back whose blocks are fewer than all. */
function sharedHeader(/** @type {Block[]} */ blocks, /** @type {Set<number>} */ part, /** @type {number} */ header) {
  const inner = [];
  const latches = [...part].filter((node) => blocks[node].next.includes(header));
  for (const latch of latches.length > 1 ? latches : []) {
    const body = new Set([header, latch]);
    for (const node of body) {
      if (node === header) continue;
      for (const from of part) if (blocks[from].next.includes(node)) body.add(from);
    }
    if (body.size < part.size) inner.push({ header, blocks: body });
  }
  return inner;
}

/** @returns {HotLoop[]} */
export function hotLoops(/** @type {CompiledFunction} */ { body }, isa) {
  if (!body.some(isa.isProduct)) return [];
  const blocks = blocksOf(body, isa);
  const productsIn = blocks.map(({ begin, end }) => body.slice(begin, end).filter(isa.isProduct).length);
  const loops = loopsOf(blocks).filter((loop) => [...loop.blocks].some((block) => productsIn[block] > 0));
  const inner = loops.filter(
    ({ blocks: all }) =>
      !loops.some((other) => other.blocks.size < all.size && [...other.blocks].every((block) => all.has(block))),
  );
  const frames = inner.length > 0 ? frameAddresses(body, blocks, isa) : [];
  return inner.map((loop) => {
    const order = [...loop.blocks].sort((a, b) => a - b);
    const own = order.flatMap((block) => body.slice(blocks[block].begin, blocks[block].end));
    const spills = spillsOf(
      order.map((block) => ({ code: body.slice(blocks[block].begin, blocks[block].end), frame: frames[block] })),
      isa,
    );
    return {
      body: own,
      header: body[blocks[loop.header].begin].address,
      products: own.filter(isa.isProduct).length,
      ...spills,
    };
  });
}
