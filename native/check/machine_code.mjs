/**
 * Checks the machine code of the kernels: compiles native/cc/core and native/cc/training as the addon is compiled, by g++
 * and clang for x86-64 and AArch64, and looks for vectors that a hot loop keeps on the stack.
 *
 *   node native/check/machine_code.mjs [--compiler gcc|clang] [--arch x86_64|aarch64] [--function PATTERN]
 *     [--report [--cpu NAME,...]]
 *
 *   --compiler, --arch  only these
 *   --function          only functions whose name matches the regular expression
 *   --report            also a table per CPU: the cycles that llvm-mca predicts for each hot loop against the bound
 *   --cpu               the CPUs of the tables; by default znver4, sapphirerapids, znver3, neoverse-n1, apple-m1
 *
 * Ends with "N passed, N failed", counting source files per compiler and architecture; the exit code is 1 if any failed.
 * What the machine has no tools for is named and not counted.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { sourceDirectory } from "./build_tools.mjs";
import { cpus, findMca, predict } from "./machine_code/cycles.mjs";
import { parseDisassembly } from "./machine_code/disassembly.mjs";
import { exceptions } from "./machine_code/exceptions.mjs";
import { judge } from "./machine_code/judge.mjs";
import { hotLoops } from "./machine_code/loops.mjs";
import {
  architectures,
  compile,
  compilers,
  disassemble,
  findToolchain,
  isas,
  kernelSources,
} from "./machine_code/toolchains.mjs";

/**
 * @import { NamedLoop } from "./machine_code/judge.mjs"
 * @import { Toolchain } from "./machine_code/toolchains.mjs"
 */

/** "void bitnet::(anonymous namespace)::f<3>(int)" as "f<3>", cut where it is too long for a table. */
function shortName(/** @type {string} */ name) {
  const plain = name.replaceAll(/bitnet::|\(anonymous namespace\)::/g, "");
  let depth = 0;
  let end = 0;
  while (end < plain.length && !(plain[end] === "(" && depth === 0)) {
    if (plain[end] === "<") ++depth;
    if (plain[end] === ">") --depth;
    ++end;
  }
  const short = plain.slice(0, end).replace(/^(void|int|bool|float) /, "");
  return short.length > 80 ? `${short.slice(0, 80)}...` : short;
}

function loopsOf(/** @type {Toolchain} */ toolchain, /** @type {string} */ file, /** @type {string} */ object) {
  const isa = isas[toolchain.architecture];
  /** @type {NamedLoop[]} */
  const loops = parseDisassembly(disassemble(toolchain, object)).flatMap((compiled) =>
    hotLoops(compiled, isa).map((loop) => ({
      ...loop,
      file: path.relative(sourceDirectory, file).replaceAll(path.sep, "/"),
      name: shortName(compiled.name),
      toolchain: toolchain.name,
    })),
  );
  return loops;
}

function describe(/** @type {NamedLoop} */ { body, products, spills, reloads, name, header }) {
  const counts = [body.length, products, spills, reloads].map((count) => String(count).padStart(5)).join("");
  return `${counts}   ${name} at ${header.toString(16)}`;
}

const countsHead = "instr prod spill reload function";

function printReport(
  /** @type {Toolchain} */ toolchain,
  /** @type {NamedLoop[]} */ loops,
  mca,
  /** @type {string[] | undefined} */ chosen,
) {
  for (const cpu of cpus[toolchain.architecture].filter((name) => chosen?.includes(name) ?? true)) {
    const predictions = predict(mca, loops, isas[toolchain.architecture], toolchain.architecture, cpu);
    console.log(
      `\n== ${toolchain.name} on ${cpu}: cycles per iteration (llvm-mca)\n cycles  ports  bound share ${countsHead}`,
    );
    let file = "";
    loops.forEach((loop, i) => {
      const prediction = predictions[i];
      if (!prediction) return;
      if (loop.file !== file) console.log(loop.file);
      file = loop.file;
      const { cycles, ports, bound } = prediction;
      const figures = [cycles, ports, bound].map((value) => value.toFixed(1).padStart(7)).join("");
      console.log(`${figures} ${`${Math.round((100 * bound) / cycles)}%`.padStart(5)}${describe(loop)}`);
    });
    const without = predictions.filter((prediction) => !prediction).length;
    if (without > 0) console.log(`${without} loops use instructions that ${cpu} or its model does not have`);
  }
}

function parseOptions() {
  const { values } = parseArgs({
    options: {
      compiler: { type: "string" },
      arch: { type: "string" },
      function: { type: "string" },
      report: { type: "boolean" },
      cpu: { type: "string" },
    },
  });
  const chosenCpus = values.cpu?.split(",");
  const known = Object.values(cpus).flat();
  for (const [name, value, valid] of [
    ["compiler", values.compiler && [values.compiler], compilers],
    ["arch", values.arch && [values.arch], architectures],
    ["cpu", chosenCpus, known],
  ]) {
    const wrong = value?.find((one) => !valid.includes(one));
    if (wrong) throw new Error(`--${name} ${wrong}: must be one of ${valid.join(", ")}`);
  }
  return { ...values, cpu: chosenCpus };
}

/** The loops of every file that compiles, and by toolchain the files that do not. */
async function collect(/** @type {Toolchain[]} */ toolchains) {
  const files = kernelSources();
  const objects = await compile(toolchains, files);
  const loops = toolchains.flatMap((toolchain) =>
    [...objects.get(toolchain.name)].flatMap(([file, object]) => loopsOf(toolchain, file, object)),
  );
  return {
    all: loops,
    broken: new Map([...objects].map(([name, made]) => [name, files.filter((file) => !made.has(file))])),
  };
}

async function main() {
  const options = parseOptions();
  const found = architectures
    .filter((architecture) => (options.arch ?? architecture) === architecture)
    .flatMap((architecture) =>
      compilers
        .filter((compiler) => (options.compiler ?? compiler) === compiler)
        .map((compiler) => findToolchain(compiler, architecture)),
    );
  const toolchains = found.filter((one) => typeof one !== "string");
  for (const line of found.filter((one) => typeof one === "string")) console.log(`did not run: ${line}`);
  const { all, broken } = await collect(toolchains);
  const pattern = new RegExp(options.function ?? "");
  const loops = all.filter(({ name }) => pattern.test(name));
  const judged = toolchains.filter((toolchain) => toolchain.judged).map(({ name }) => name);
  const { faults, excused, idle } = judge(loops, exceptions, options.function ? [] : judged);
  let passed = 0;
  let failed = idle.length;
  for (const { name, version, judged: counts } of toolchains) {
    const own = loops.filter(({ toolchain }) => toolchain === name);
    const bad = faults.filter(({ toolchain }) => toolchain === name);
    const allowed = excused.filter(({ toolchain }) => toolchain === name).length;
    console.log(
      `-- ${name} (${version}): ${own.length} hot loops, ${bad.length} keep vectors on the stack, ${allowed} more may`,
    );
    for (const file of broken.get(name)) console.log(`does not compile: ${path.relative(sourceDirectory, file)}`);
    failed += broken.get(name).length;
    if (bad.length > 0) console.log(countsHead);
    for (const file of new Set(bad.map((loop) => loop.file))) {
      console.log(`${file}${counts ? "" : " (not judged: another compiler version)"}`);
      for (const loop of bad.filter((one) => one.file === file)) console.log(describe(loop));
    }
    if (!counts) continue;
    const files = new Set(own.map(({ file }) => file)).size;
    const badFiles = new Set(bad.map(({ file }) => file)).size;
    passed += files - badFiles;
    failed += badFiles;
  }
  for (const { file, name, toolchains: where } of idle) {
    console.log(`no loop needs the exception ${file} ${name} ${where}: take it out of exceptions.mjs`);
  }
  if (options.report) {
    const mca = findMca();
    if (!mca) console.log("no report: llvm-mca is not installed (Debian: llvm-19)");
    for (const toolchain of mca ? toolchains : []) {
      printReport(
        toolchain,
        loops.filter((loop) => loop.toolchain === toolchain.name),
        mca,
        options.cpu,
      );
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
