/** How the benchmarks start their PyTorch contenders. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** glibc's defaults cost PyTorch a quarter of its speed: memory is given back and faulted in again in every step. */
const allocatorSettings = {
  MALLOC_MMAP_THRESHOLD_: "4294967296",
  MALLOC_TRIM_THRESHOLD_: "4294967296",
  MALLOC_TOP_PAD_: "67108864",
};

/**
 * What keeps PyTorch to the instructions that BITNET_ISA leaves to our kernels, so that a contest is one of the same CPU:
 * oneDNN's and MKL's limits, and PyTorch's own.
 */
const instructionLimits: Record<string, Record<string, string>> = {
  avx2: { ONEDNN_MAX_CPU_ISA: "AVX2", MKL_ENABLE_INSTRUCTIONS: "AVX2", ATEN_CPU_CAPABILITY: "avx2" },
  avxvnni: { ONEDNN_MAX_CPU_ISA: "AVX2_VNNI", MKL_ENABLE_INSTRUCTIONS: "AVX2", ATEN_CPU_CAPABILITY: "avx2" },
  avx512vnni: { ONEDNN_MAX_CPU_ISA: "AVX512_CORE_BF16", MKL_ENABLE_INSTRUCTIONS: "AVX512" },
};

const instructionLimit = () => instructionLimits[process.env.BITNET_ISA ?? ""];

/** The environment of a PyTorch contender. */
export function pytorchEnvironment(): Record<string, string> {
  return { ...allocatorSettings, ...instructionLimit() };
}

/** PYTHON (default python3) if it can import the module. */
export function pythonWith(module: string): string | undefined {
  const python = process.env.PYTHON || "python3";
  return spawnSync(python, ["-c", `import ${module}`]).status === 0 ? python : undefined;
}

/** Without these PyTorch emulates bf16, tens of times slower than float32: minutes for a step. */
export function hasBf16(): boolean {
  const limit = instructionLimit()?.ONEDNN_MAX_CPU_ISA;
  if (limit !== undefined && !limit.endsWith("BF16")) return false;
  const file = "/proc/cpuinfo";
  return !existsSync(file) || /\b(avx512_bf16|amx_bf16|bf16)\b/.test(readFileSync(file, "utf8"));
}
