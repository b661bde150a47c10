/**
 * Predicted cycles of a loop from llvm-mca, beside the bound that its products and its memory accesses set alone.
 *
 * llvm-mca runs the straight line of instructions over and over on a model of a CPU's ports and latencies. It knows no
 * caches, no branches (every block of the loop runs each time), and no round trips through memory: a load does not wait
 * for the store before it, so a spilled loop looks faster than it is.
 */
import { spawnSync } from "node:child_process";
import { isFiller } from "./loops.mjs";

/**
 * @import { HotLoop } from "./loops.mjs"
 * @import { Instruction } from "./disassembly.mjs"
 * @typedef {{ cycles: number, ports: number, bound: number }} Prediction per iteration: `cycles` as simulated; `ports`
 *   if no instruction waited for another; `bound` the same for the products alone or the memory accesses alone,
 *   whichever takes longer
 */

/** CPUs of the report, by architecture, with the names that llvm-mca knows them by. */
export const cpus = { x86_64: ["znver4", "sapphirerapids", "znver3"], aarch64: ["neoverse-n1", "apple-m1"] };

const iterations = 100;

export function findMca() {
  return ["llvm-mca-19", "llvm-mca"].find((program) => spawnSync(program, ["--version"]).status === 0);
}

/** An instruction as an assembler reads it: jumps go to labels. */
function assembly(/** @type {Instruction} */ { op, operands, target, encoding = "" }) {
  const named = target === undefined ? operands : [...operands.slice(0, -1), `.L${target.toString(16)}`];
  return `${encoding} ${op} ${named.join(", ")}`;
}

/** What llvm-mca reads for a loop: the whole, its products, its memory accesses, each as a region of its own. */
function regions(/** @type {HotLoop} */ loop, /** @type {number} */ index, isa) {
  const body = loop.body.filter((instruction) => !isFiller(instruction));
  const parts = {
    all: body,
    products: body.filter(isa.isProduct),
    memory: body.filter((instruction) => isa.memory(instruction) !== undefined),
  };
  return Object.entries(parts)
    .filter(([, instructions]) => instructions.length > 0)
    .map(([part, instructions]) => ({ name: `${part} ${index}`, lines: instructions.map(assembly) }));
}

/**
 * Predictions for the loops on a CPU. A loop whose instructions the CPU (or its model) does not have is undefined.
 * @returns {(Prediction | undefined)[]}
 */
export function predict(mca, /** @type {HotLoop[]} */ loops, isa, architecture, /** @type {string} */ cpu) {
  const wanted = loops.flatMap((loop, i) => regions(loop, i, isa));
  const text = wanted
    .map(({ name, lines }) => `# LLVM-MCA-BEGIN ${name}\n${lines.join("\n")}\n# LLVM-MCA-END\n`)
    .join("");
  const options = ["--json", "--skip-unsupported-instructions=any", `--iterations=${iterations}`];
  const target = [`-mtriple=${architecture}-linux-gnu`, `-mcpu=${cpu}`];
  const result = spawnSync(mca, [...options, ...target], { input: text, encoding: "utf8", maxBuffer: 1 << 30 });
  if (result.status !== 0) throw new Error(`${mca} -mcpu=${cpu} failed:\n${result.stderr.slice(0, 2000)}`);
  const lengths = new Map(wanted.map(({ name, lines }) => [name, lines.length]));
  const summaries = new Map();
  for (const region of JSON.parse(result.stdout).CodeRegions) {
    // A region that lost an instruction says nothing about the loop.
    if (region.Instructions.length === lengths.get(region.Name)) summaries.set(region.Name, region.SummaryView);
  }
  return loops.map((_, i) => {
    const all = summaries.get(`all ${i}`);
    if (!all) return undefined;
    const alone = ["products", "memory"].map((part) => summaries.get(`${part} ${i}`)?.BlockRThroughput ?? 0);
    return { cycles: all.TotalCycles / iterations, ports: all.BlockRThroughput, bound: Math.max(...alone) };
  });
}
