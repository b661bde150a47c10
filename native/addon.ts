/**
 * Loads the native addon and types its process-wide functions.
 *
 * The parts of the addon are typed where they are used: training kernels in `native/backend`, the engine in
 * `native/inference`; both extend {@link NativeAddon} by declaration merging.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { UserError } from "../src/errors/user_error.ts";
import { buildCommand, packageDirectory } from "../src/files/package.ts";
import { defaultThreads } from "../src/machine/threads.ts";

/** One kernel variant compiled into the addon. */
export interface KernelVariant {
  name: string;
  /** True if this CPU can run it. */
  supported: boolean;
}

/** What the CPU says of itself (native/cc/core/cpu_identity.h). */
export interface CpuFacts {
  /** Its own name, "AMD EPYC"; empty if unknown. */
  cpu: string;
  vendor: string;
  family: number;
  model: number;
  stepping: number;
  /** What it has beyond its architecture's minimum: `avx2`, `avx512vnni` ... */
  features: string[];
}

export interface NativeAddon {
  /** Every kernel variant that was compiled, the slowest first, and whether this CPU can run it. */
  features(): CpuFacts & { variants: KernelVariant[] };
  /** The names that arguments of each kind may be: `scaleDtype` is one of `f32`, `f16`, `bf16`. */
  enumerations(): Record<string, string[]>;
  /** Name of the active kernel variant (`BITNET_ISA`, else the best one). Throws if `BITNET_ISA` is not valid here. */
  variant(): string;
  /** Makes `name` the active variant; "" returns to the default. Throws, listing the valid names. */
  setVariant(name: string): void;
  /** Threads used by training kernels, in all threads of this process; 0 until they are set, which {@link loadAddon} does. */
  threads(): number;
  setThreads(threads: number): void;
}

/** The addon is missing: it was not built, or was built for another Node-API or platform. */
export class NativeUnavailableError extends UserError {
  override name = "NativeUnavailableError";
}

const addonFile = "native/build/Release/bitnet_native.node";
let loaded: NativeAddon | undefined;

/**
 * The loaded addon.
 * @throws {NativeUnavailableError} with what to do, when it is missing.
 */
export function loadAddon(): NativeAddon {
  if (loaded) return loaded;
  const file = path.join(packageDirectory(), addonFile);
  if (!existsSync(file)) {
    throw new NativeUnavailableError(
      `the native addon is not built (install scripts may have been skipped, or there was no compiler): run \`${buildCommand()}\``,
    );
  }
  try {
    loaded = createRequire(import.meta.url)(file) as NativeAddon;
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    throw new NativeUnavailableError(
      `the native addon cannot be loaded: ${reason}; to build it anew: \`${buildCommand()}\``,
    );
  }
  if (loaded.threads() === 0) loaded.setThreads(defaultThreads());
  return loaded;
}
