/** How the benchmarks start their PyTorch contenders. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** glibc's defaults cost PyTorch a quarter of its speed: memory is given back and faulted in again in every step. */
export const allocatorSettings = {
  MALLOC_MMAP_THRESHOLD_: "4294967296",
  MALLOC_TRIM_THRESHOLD_: "4294967296",
  MALLOC_TOP_PAD_: "67108864",
};

/** PYTHON (default python3) if it can import the module. */
export function pythonWith(module: string): string | undefined {
  const python = process.env.PYTHON || "python3";
  return spawnSync(python, ["-c", `import ${module}`]).status === 0 ? python : undefined;
}

/** Without these PyTorch emulates bf16, tens of times slower than float32: minutes for a step. */
export function hasBf16(): boolean {
  const file = "/proc/cpuinfo";
  return !existsSync(file) || /\b(avx512_bf16|amx_bf16|bf16)\b/.test(readFileSync(file, "utf8"));
}
