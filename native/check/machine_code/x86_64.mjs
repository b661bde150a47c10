/** What the loop analysis must know about x86-64 instructions (AT&T operand order: sources, then the target). */

/** @import { Instruction } from "./disassembly.mjs" */

const product =
  /^(vfn?m(add|sub)\w*p[sdh]|vfm(addsub|subadd)\w*|vpdp(b[su][su]|w[su][su])ds?|vdpbf16ps|v?pmadd(ubsw|wd)|v?mulp[sdh]|v?pmul\w+|tdp\w+)$/;
const vectorRegister = /%([xyzt]mm)\d+/;
const registerBytes = { xmm: 16, ymm: 32, zmm: 64, tmm: 1024 };
const callerSaved = ["rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"];
const readsOnly = /^(cmp|test|bt|push|call|j|nop|prefetch|ret|leave)/;

/** The 64-bit register that holds the operand "%eax", "%al", "%r8d", or undefined. */
function wideRegister(/** @type {string} */ operand) {
  const name = /^%(\w+)$/.exec(operand)?.[1] ?? "";
  const numbered = /^(r\d+)[dwb]?$/.exec(name);
  if (numbered) return numbered[1];
  const lettered = /^[re]?(ax|bx|cx|dx|si|di|bp|sp)$/.exec(name) ?? /^(si|di|bp|sp)l$/.exec(name);
  if (lettered) return `r${lettered[1]}`;
  const byte = /^([abcd])[lh]$/.exec(name);
  return byte ? `r${byte[1]}x` : undefined;
}

/** "-0x8(%rsp,%rax,4)" as { offset, registers: [base, index] }, or undefined for another operand. */
function memoryOperand(/** @type {string} */ operand) {
  const match = /^(?:%[defg]s:)?(-?(?:0x)?[0-9a-f]+)?\(([^)]*)\)/.exec(operand);
  if (!match) return undefined;
  const registers = [...match[2].matchAll(/%(\w+)/g)].map(([, name]) => name);
  return { offset: Number(match[1]?.replace("-", "") ?? 0) * (match[1]?.startsWith("-") ? -1 : 1), registers };
}

/** The operand itself if it is a place of the frame that may keep a register. */
const slot = (/** @type {string} */ operand) => (/^(-?0x[0-9a-f]+)?\(%r[sb]p\)$/.test(operand) ? operand : undefined);

/** What an instruction with a general register as its last operand leaves in it. */
function registerEffect(/** @type {string} */ op, /** @type {string} */ source, /** @type {string} */ target) {
  const memory = memoryOperand(source);
  if (op.startsWith("lea")) {
    if (memory?.registers.length === 1) return { target, sources: memory.registers, offset: memory.offset };
    return { target, sources: memory?.registers ?? [] };
  }
  const from = wideRegister(source) ?? slot(source);
  if (/^mov[lq]?$/.test(op)) return { target, sources: from ? [from] : [], offset: 0 };
  if (/^(add|sub)[lq]?$/.test(op) && source.startsWith("$")) {
    return { target, sources: [target], offset: Number(source.slice(1)) * (op.startsWith("sub") ? -1 : 1) };
  }
  if (/^(add|sub|and|or|inc|dec|cmov\w+)[lq]?$/.test(op)) return { target, sources: from ? [target, from] : [target] };
  return { target, sources: [] };
}

export const x86_64 = {
  stackPointer: "rsp",

  isProduct: (/** @type {Instruction} */ { op }) => product.test(op),

  /** How it leads away: a jump, the end of the straight line, a jump to an address in a register or table. */
  flow(/** @type {Instruction} */ { op, operands }) {
    const jumps = op.startsWith("j");
    const ends = /^(jmp|ret|ud2|hlt)/.test(op);
    return { jumps, ends, indirect: jumps && operands[0]?.startsWith("*") };
  },

  /** How it uses memory: registers and offset of the address, bytes, whether it stores, whether vectors (or tiles). */
  memory(/** @type {Instruction} */ { op, operands }) {
    if (/^(lea|nop|prefetch)/.test(op)) return undefined;
    const at = operands.findIndex((operand) => memoryOperand(operand));
    if (at < 0) return undefined;
    const widths = operands.map((operand) => registerBytes[vectorRegister.exec(operand)?.[1] ?? ""] ?? 0);
    const bytes = Math.max(...widths);
    return { ...memoryOperand(operands[at]), bytes, store: at === operands.length - 1, vector: bytes > 0 };
  },

  /**
   * What it leaves in a register or slot: the value of sources[0] plus `offset` if that is given, else something
   * made of the sources. `loses` are other registers that hold something new.
   */
  effect(/** @type {Instruction} */ { op, operands }) {
    const last = operands.at(-1) ?? "";
    let loses = op.startsWith("call") ? callerSaved : [];
    if (/^(mul|imul|div|idiv|cqto|cltd)/.test(op) && operands.length < 2) loses = ["rax", "rdx"];
    if (op.startsWith("xchg")) loses = operands.map((operand) => wideRegister(operand) ?? "");
    const target = slot(last) ?? wideRegister(last);
    if (!target || target === "rsp" || readsOnly.test(op) || loses.length > 0) return { sources: [], loses };
    if (slot(last)) {
      const from = wideRegister(operands[0]);
      return { target, sources: from && op.startsWith("mov") ? [from] : [], offset: 0, loses };
    }
    return { ...registerEffect(op, operands.length > 1 ? operands[0] : "", target), loses };
  },
};
