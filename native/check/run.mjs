/**
 * Builds and runs the C++ check programs: every native/check/*_check.cc is a program of its own over
 * native/cc (everything but the addon).
 *
 *   node native/check/run.mjs [--plain | --sanitize | --tsan | --neon | --simde | --fuzz | --bench] [name ...]
 *     [-- arguments]
 *
 *   --plain     as the addon is compiled (the default)
 *   --sanitize  address and undefined-behaviour sanitizers
 *   --tsan      thread sanitizer
 *   --neon      for AArch64 with a cross compiler, run by qemu-aarch64
 *   --simde     the AVX-512 files on AVX2 hardware, through SIMDe's emulation of the intrinsics
 *   --fuzz      gguf_fuzz under the sanitizers, guided by coverage; `arguments` go to the program
 *   --bench     builds and runs bench_*.cc; `arguments` go to the program
 *
 * Names choose programs ("row_kernels" is row_kernels_check.cc). CXX names the compiler. Each program ends
 * with "N passed, N failed"; the exit code is 1 if any failed. A mode whose tools are missing says so and
 * counts as passed.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import {
  baseFlags,
  checkDirectory,
  filesIn,
  missingCommand,
  newest,
  plainFlags,
  run,
  runAll,
  sourceDirectory,
} from "./build_tools.mjs";

const hostCompiler = process.env.CXX || "g++";
const simdeHeader = "/usr/include/simde/x86/avx512.h";

const sanitizeFlags = [
  "-O1",
  "-g",
  "-fno-omit-frame-pointer",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
];

/**
 * How a mode compiles and runs.
 * `missing` returns what the machine lacks, if anything; `variant` must be among the variants that the programs
 * compare; `engineVariants` and `kernelVariants` limit the checks of the whole engine and of kernels ("default": the
 * one in use); `only` are the programs of a mode that is for some; `flagsOf` adds flags for a file.
 */
const modes = {
  plain: { compiler: hostCompiler, flags: plainFlags, missing: () => missingCommand(hostCompiler) },
  sanitize: {
    compiler: hostCompiler,
    flags: sanitizeFlags,
    engineVariants: "default",
    missing: () => missingCommand(hostCompiler),
  },
  fuzz: {
    compiler: hostCompiler,
    flags: [...sanitizeFlags, "-DBITNET_FUZZ_COVERAGE"],
    // The kernels are not what is fuzzed, and counting their loops would slow them.
    flagsOf: (file) => (path.basename(path.dirname(file)) === "inference" ? ["-fsanitize-coverage=trace-pc"] : []),
    only: ["gguf_fuzz"],
    missing: () => missingCommand(hostCompiler),
  },
  tsan: {
    compiler: hostCompiler,
    flags: ["-O1", "-g", "-fsanitize=thread"],
    engineVariants: "default",
    kernelVariants: "default",
    // The others call kernels in one thread.
    only: ["core", "bit_linear", "gemm", "training", "score", "engine", "engine_refusals"],
    missing: () => missingCommand(hostCompiler),
  },
  neon: {
    compiler: "aarch64-linux-gnu-g++",
    flags: ["-O2", "-static"],
    runner: ["qemu-aarch64"],
    variant: "neondot",
    missing: () => missingCommand("aarch64-linux-gnu-g++") ?? missingCommand("qemu-aarch64"),
  },
  simde: {
    compiler: hostCompiler,
    flags: ["-O2", "-mavx2", "-mfma", "-mf16c", '-DBITNET_EMULATED_ISA="emulated_avx512.h"'],
    variant: "avx512vnni",
    missing: () => missingCommand(hostCompiler) ?? missingSimde() ?? missingAvx2(),
  },
};

function missingSimde() {
  return existsSync(simdeHeader) ? undefined : `${simdeHeader} is not there (Debian: libsimde-dev)`;
}

function missingAvx2() {
  if (process.arch !== "x64") return "the emulation needs an x86-64 machine";
  const cpu = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "avx2";
  return cpu.includes("avx2") ? undefined : "the emulation needs AVX2";
}

/** Compiles what changed and links the programs. Returns their paths, or undefined after a compiler error. */
async function build(modeName, mode, programs, bench) {
  const buildDirectory = path.join(checkDirectory, "build", modeName);
  mkdirSync(buildDirectory, { recursive: true });
  const folders = ["core", "training", "inference"].map((name) => path.join(sourceDirectory, name));
  const sources = folders.flatMap((folder) => filesIn(folder, [".cc"]));
  // What a bench program shares with others: files of this folder that are no programs.
  const shared = bench
    ? filesIn(checkDirectory, [".cc"]).filter((file) => !/^bench_|_check\.cc$/.test(path.basename(file)))
    : [];
  const headers = newest([...folders, checkDirectory].flatMap((folder) => filesIn(folder, [".h"])));
  const flags = [...baseFlags, ...mode.flags, `-I${sourceDirectory}`, `-I${checkDirectory}`];
  const objectOf = (file) =>
    path.join(buildDirectory, `${path.relative(path.join(checkDirectory, ".."), file).replaceAll(path.sep, "_")}.o`);
  const stale = [...sources, ...shared, ...programs].filter((file) => {
    const object = objectOf(file);
    return !existsSync(object) || statSync(object).mtimeMs < Math.max(headers, statSync(file).mtimeMs);
  });
  const compiled = await runAll(
    stale.map((file) => () => {
      const own = mode.flagsOf?.(file) ?? [];
      return run(mode.compiler, [...flags, ...own, "-c", file, "-o", objectOf(file)]);
    }),
  );
  if (!compiled) return undefined;
  const objects = [...sources, ...shared].map(objectOf);
  const executables = programs.map((program) => path.join(buildDirectory, path.basename(program, ".cc")));
  const linked = await runAll(
    programs.map((program, i) => () => {
      const linkArguments = [...mode.flags, objectOf(program), ...objects, "-pthread", "-o", executables[i]];
      return run(mode.compiler, linkArguments);
    }),
  );
  return linked ? executables : undefined;
}

async function main() {
  const separator = process.argv.indexOf("--");
  const own = process.argv.slice(2, separator < 0 ? undefined : separator);
  const passed = separator < 0 ? [] : process.argv.slice(separator + 1);
  const flags = own.filter((argument) => argument.startsWith("--")).map((flag) => flag.slice(2));
  const names = own.filter((argument) => !argument.startsWith("--"));
  const bench = flags[0] === "bench";
  const modeName = bench ? "plain" : (flags[0] ?? "plain");
  const affix = bench ? /^bench_|\.cc$/g : /_check\.cc$/g;
  const available = filesIn(checkDirectory, bench ? [".cc"] : ["_check.cc"]).filter(
    (file) => !bench || path.basename(file).startsWith("bench_"),
  );
  const nameOf = (file) => path.basename(file).replaceAll(affix, "");
  const unknown = names.filter((name) => !available.some((file) => nameOf(file) === name));
  if (flags.length > 1 || !(modeName in modes) || unknown.length > 0) {
    console.error(
      "usage: node native/check/run.mjs [--plain|--sanitize|--tsan|--neon|--simde|--fuzz|--bench] [name ...] [-- arguments]\n" +
        `programs: ${available.map(nameOf).join(", ")}`,
    );
    return 2;
  }
  const mode = modes[modeName];
  const missing = mode.missing();
  if (missing) {
    console.log(`--${modeName} did not run: ${missing}`);
    return 0;
  }
  const chosen = names.length > 0 ? names : mode.only;
  const programs = available.filter((file) => chosen === undefined || chosen.includes(nameOf(file)));
  const executables = await build(modeName, mode, programs, bench);
  if (!executables) return 1;
  const environment = {
    ...process.env,
    CHECK_VARIANT: mode.variant ?? "",
    CHECK_ENGINE_VARIANTS: mode.engineVariants ?? "",
    CHECK_KERNEL_VARIANTS: mode.kernelVariants ?? "",
  };
  const job = (executable) => async () => {
    const [command, ...commandArguments] = [...(mode.runner ?? []), executable, ...passed];
    // One program shows what it prints as it comes; several run side by side, each printed when it has ended.
    const isShown = bench || executables.length === 1;
    const title = bench ? "" : `-- ${path.basename(executable)}\n`;
    if (isShown) process.stdout.write(title);
    const { code, signal, output } = await ended(command, commandArguments, environment, isShown);
    if (!isShown) process.stdout.write(title + output);
    if (signal) console.log(`${path.basename(executable)} ended by ${signal}\n0 passed, 1 failed`);
    return code === 0;
  };
  if (!bench) return (await runAll(executables.map(job))) ? 0 : 1;
  // Benchmarks would disturb each other.
  let status = 0;
  for (const executable of executables) if (!(await job(executable)())) status = 1;
  return status;
}

/** Runs a program to its end; `output` is what it printed, unless it is shown at once. */
function ended(command, commandArguments, env, isShown) {
  return new Promise((resolve) => {
    const stdio = isShown ? "inherit" : ["ignore", "pipe", "pipe"];
    const child = spawn(command, commandArguments, { stdio, env });
    let output = "";
    child.stdout?.on("data", (text) => (output += text));
    child.stderr?.on("data", (text) => (output += text));
    child.on("error", (error) => resolve({ code: 1, signal: null, output: `${error}\n0 passed, 1 failed\n` }));
    child.on("close", (code, signal) => resolve({ code, signal, output }));
  });
}

process.exitCode = await main();
