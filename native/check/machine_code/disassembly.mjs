/**
 * Reads the text that `objdump -d -r -C --no-show-raw-insn` prints (AT&T syntax on x86-64).
 *
 * `target` is the address of the function that an instruction names. It is undefined where there is none or where a
 * relocation leaves it to the linker: another function.
 */

/**
 * @typedef {{ address: number, op: string, operands: string[], target?: number, encoding?: string }} Instruction
 * @typedef {{ name: string, body: Instruction[] }} CompiledFunction
 */

const prefixes = new Set(["lock", "rep", "repz", "repnz", "bnd", "notrack", "data16", "cs", "ds", "es", "rex.W"]);

/** Splits operands at the commas that stand outside of (), [] and {}. */
export function splitOperands(/** @type {string} */ text) {
  const operands = [];
  let depth = 0;
  let begin = 0;
  for (let i = 0; i <= text.length; ++i) {
    const character = text[i];
    if (character === undefined || (character === "," && depth === 0)) {
      const operand = text.slice(begin, i).trim();
      if (operand) operands.push(operand);
      begin = i + 1;
    } else if ("([{".includes(character)) ++depth;
    else if (")]}".includes(character)) --depth;
  }
  return operands;
}

/** One line of code, or undefined for another line. */
function parseInstruction(/** @type {string} */ line) {
  const match = /^\s*([0-9a-f]+):\s+(\S.*)$/.exec(line);
  if (!match) return undefined;
  // What follows is a comment: " # 40 <symbol>" on x86-64, "// #12" on AArch64.
  let text = match[2].replace(/\s+(#\s|\/\/).*$/, "").trim();
  for (let word = text.split(/\s/, 1)[0]; prefixes.has(word) && text !== word; word = text.split(/\s/, 1)[0]) {
    text = text.slice(word.length).trim();
  }
  // "{vex} vpdpbusd": the encoding, where the assembler would choose another.
  const encoding = /^\{\w+\}/.exec(text)?.[0];
  if (encoding) text = text.slice(encoding.length).trim();
  const op = text.split(/\s/, 1)[0];
  let rest = text.slice(op.length).trim();
  // "3a <f(int)+0x1a>": the symbol repeats the address that stands before it, or the register and bit of AArch64's tests.
  const named = /^((?:[^<]*,\s*)?)([0-9a-f]+) <.*>$/.exec(rest);
  if (named) rest = `${named[1]}${named[2]}`;
  /** @type {Instruction} */
  const instruction = { address: Number.parseInt(match[1], 16), op, operands: splitOperands(rest) };
  if (encoding) instruction.encoding = encoding;
  if (named) instruction.target = Number.parseInt(named[2], 16);
  return instruction;
}

/** @returns {CompiledFunction[]} */
export function parseDisassembly(/** @type {string} */ text) {
  /** @type {CompiledFunction[]} */
  const functions = [];
  for (const line of text.split("\n")) {
    const head = /^[0-9a-f]+ <(.+)>:$/.exec(line);
    if (head) {
      functions.push({ name: head[1], body: [] });
      continue;
    }
    const body = functions.at(-1)?.body;
    if (!body) continue;
    const last = body.at(-1);
    if (/^\s+[0-9a-f]+: R_(X86_64|AARCH64)_/.test(line)) {
      if (last) last.target = undefined;
      continue;
    }
    const instruction = parseInstruction(line);
    if (instruction) body.push(instruction);
  }
  return functions;
}
