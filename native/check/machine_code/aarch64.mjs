/** What the loop analysis must know about AArch64 instructions (the target register stands first). */

/** @import { Instruction } from "./disassembly.mjs" */

const product =
  /^(fmla|fmls|fmul|fmlal2?|mla|mls|mul|[su]mlal2?|[su]mlsl2?|[su]mull2?|[su]dot|usdot|sudot|bfdot|bfml?al[bt]|bfmmla|[su]mmla|usmmla)$/;
const vectorOperand = /^\{?\s*[qdshbvz]\d+/;
const storeOp = /^(st[1-4]|str|stur|stp|stnp)/;
const readsOnly = /^(cmp|cmn|tst|ccmp|cbn?z|tbn?z|b$|b\.|br$|ret|prfm|nop)/;
const callerSaved = [...Array.from({ length: 19 }, (_, i) => `x${i}`), "x30"];

/** The 64-bit register that holds the operand "x3", "w3", "sp", or undefined. */
function wideRegister(/** @type {string} */ operand) {
  return /^([xw]\d+|sp)$/.exec(operand)?.[1].replace("w", "x");
}

const isMemory = (/** @type {string} */ operand) => operand.startsWith("[");

function registersOf(/** @type {string} */ operand) {
  return [...operand.matchAll(/\b([xw]\d+|sp)\b/g)].map(([, name]) => name.replace("w", "x"));
}

/** The operand itself if it is a place of the frame that may keep a register. */
const slot = (/** @type {string} */ operand) => (/^\[(sp|x29)(, #-?\d+)?\]$/.test(operand) ? operand : undefined);

/** What an instruction with a general register as its first operand leaves in it. */
function registerEffect(/** @type {string} */ op, /** @type {string[]} */ operands, /** @type {string} */ target) {
  const sources = operands.slice(1).flatMap((operand) => slot(operand) ?? wideRegister(operand) ?? []);
  const immediate = operands.length === 3 && operands[2].startsWith("#");
  if ((op === "add" || op === "sub") && immediate) {
    return { target, sources, offset: Number(operands[2].slice(1)) * (op === "sub" ? -1 : 1) };
  }
  if (op === "mov" || op === "ldr") return { target, sources, offset: 0 };
  return { target, sources: /^(add|sub|and|orr|csel)$/.test(op) ? sources : [] };
}

export const aarch64 = {
  stackPointer: "sp",

  /** Vector products only: "fmul v0.4s, ..." but not "fmul s0, ...". */
  isProduct: (/** @type {Instruction} */ { op, operands }) => product.test(op) && /^[vz]\d+\./.test(operands[0] ?? ""),

  /** How it leads away: a jump, the end of the straight line, a jump to an address in a register or table. */
  flow(/** @type {Instruction} */ { op }) {
    return {
      jumps: /^(b|b\.\w+|br|cbn?z|tbn?z)$/.test(op),
      ends: /^(b|br|ret|udf|brk)$/.test(op),
      indirect: op === "br",
    };
  },

  /** How it uses memory: registers and offset of the address, bytes, whether it stores, whether vectors. */
  memory(/** @type {Instruction} */ { op, operands }) {
    const address = operands.find(isMemory);
    if (!address || op.startsWith("prf")) return undefined;
    const offset = Number(/#(-?\d+)\]/.exec(address)?.[1] ?? 0);
    const vector = vectorOperand.test(operands[0]);
    // A pair, or a list of registers in one operand.
    const count = Math.max(operands.indexOf(address), operands[0].split(",").length);
    return { registers: registersOf(address), offset, bytes: 16 * count, store: storeOp.test(op), vector };
  },

  /**
   * What it leaves in a register or slot: the value of sources[0] plus `offset` if that is given, else something
   * made of the sources. `loses` are other registers that hold something new.
   */
  effect(/** @type {Instruction} */ { op, operands }) {
    if (op === "bl" || op === "blr") return { sources: [], loses: callerSaved };
    const address = operands.find(isMemory);
    if (address && (address.endsWith("!") || !isMemory(operands.at(-1) ?? ""))) {
      const [base] = registersOf(address);
      const loses = storeOp.test(op) ? [] : operands.slice(0, 2).flatMap((name) => wideRegister(name) ?? []);
      return { target: base === "sp" ? undefined : base, sources: [base], loses };
    }
    if (storeOp.test(op)) {
      const from = wideRegister(operands[0]);
      return { target: slot(address ?? ""), sources: from && op === "str" ? [from] : [], offset: 0, loses: [] };
    }
    const target = wideRegister(operands[0] ?? "");
    if (!target || target === "sp" || readsOnly.test(op)) return { sources: [], loses: [] };
    const second = op.startsWith("ldp") ? wideRegister(operands[1]) : undefined;
    return { ...registerEffect(op, operands, target), loses: second ? [second] : [] };
  },
};
