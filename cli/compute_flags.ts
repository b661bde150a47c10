/** The flags that say what computes, the same in every command that runs a model. */
import type { Options } from "yargs";
import { backendNames } from "../src/ops/compute.ts";

export const computeFlags = {
  threads: { type: "number", describe: "Threads [default: BITNET_THREADS, else all CPUs]" },
  backend: { choices: backendNames, describe: "tfjs backend of a checkpoint [default: native]" },
} as const satisfies Record<string, Options>;
