/**
 * Which fused kernels ran, and on which kernel variant: so that metrics can say what a number was measured with, and a
 * test can tell a silent fallback to composed operations from the real thing.
 */
import { loadAddon } from "../addon.ts";

export interface KernelLog {
  /** Kernel variant (instruction set) in use; empty if no fused kernel ran. */
  variant: string;
  /** Calls by kernel name since the last reset. */
  calls: ReadonlyMap<string, number>;
}

const calls = new Map<string, number>();

/** Records one run of a fused kernel. */
export function recordKernel(name: string): void {
  calls.set(name, (calls.get(name) ?? 0) + 1);
}

/** What ran since {@link resetKernelLog}. */
export function nativeKernelLog(): KernelLog {
  return { variant: calls.size > 0 ? loadAddon().variant() : "", calls: new Map(calls) };
}

export function resetKernelLog(): void {
  calls.clear();
}
