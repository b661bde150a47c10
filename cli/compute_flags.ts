/** The flags that say what computes, the same in every command that runs a model. */

import type { Options } from "yargs";
import { largest } from "../src/arrays/large_arrays.ts";
import { quantizations } from "../src/checkpoint/quantization_keys.ts";
import { checkThreads, ThreadsError, threadsOfEnvironment, threadsRemark } from "../src/machine/threads.ts";
import { backendNames } from "../src/ops/compute.ts";
import { UsageError } from "./command.ts";
import { sayAside } from "./terminal/say.ts";

export const computeFlags = {
  threads: { type: "number", describe: "Threads [default: BITNET_THREADS, else all CPUs that it may use]" },
  quantization: {
    choices: quantizations,
    describe:
      "What the linear layers of a Hugging Face checkpoint are, where its config.json has no quantization_config: BitNet's (online) or plain ones (none)",
  },
  backend: { choices: backendNames, describe: "tfjs backend of a checkpoint [default: native]" },
} as const satisfies Record<string, Options>;

/**
 * Checks the threads of `--threads` (or BITNET_THREADS), with a remark on stderr if they are more than there are CPUs.
 * @throws {UsageError}
 */
export function checkThreadFlags(asked: readonly number[]): void {
  try {
    const threads = asked.map((count) => checkThreads(count, "--threads"));
    const most = largest(asked.length === 0 ? [threadsOfEnvironment() ?? 1] : threads);
    const remark = threadsRemark(most);
    if (remark !== null) sayAside(`note: ${remark}`);
  } catch (error) {
    throw error instanceof ThreadsError ? new UsageError(error.message) : error;
  }
}

/** The same of a flag that takes one number. @throws {UsageError} */
export function checkThreadFlag(asked: number | undefined): void {
  checkThreadFlags(asked === undefined ? [] : [asked]);
}
