/** What computes a run: named in its metrics and reports, so that slower code cannot run unseen. */

/** tfjs backends by name: this project's kernels, tfjs-node, tfjs's WebAssembly, plain JavaScript. */
export const backendNames = ["native", "tensorflow", "wasm", "cpu"] as const;
export type BackendName = (typeof backendNames)[number];

export interface Compute {
  backend: BackendName;
  threads: number;
  /** Takes fewer threads where `operations`, those of a training step, are too few to share; does nothing if the threads were asked for. */
  fitThreads?(operations: number): void;
  /** Kernel variant that is expected to run: `scalar`, `avx2` ...; `composed` without our kernels. */
  variant: string;
  /** Name of the CPU, with its microarchitecture where our kernels run. */
  cpu: string;
  /** What the CPU has beyond its architecture's minimum (`avx512vnni` ...); empty where our kernels do not run. */
  features: readonly string[];
  /**
   * What really ran since the last call: the variant, and which of the `required` fused kernels (default: BitLinear) plain tfjs ops stood
   * in for. `avx2`; `avx2 (composed: RMSNorm)`; `composed`.
   */
  kernel(required?: readonly string[]): string;
}
