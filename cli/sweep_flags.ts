/** Flags of `bitnet-sweep`. */
import type { InferredOptionTypes, Options } from "yargs";
import { backendNames } from "../src/ops/compute.ts";

export const sweepFlags = {
  config: { type: "string", describe: "YAML file of the sweep: method, metric, parameters, seeds (docs/sweeps.md)" },
  base: { type: "string", describe: "Recipe that the arms change: a YAML file or a shipped one" },
  out: { type: "string", describe: "Folder of the sweep; without --config the sweep in it goes on" },
  set: { type: "array", string: true, describe: "Override keys of the recipe, for every arm: section.key=value" },
  processes: { type: "number", describe: "Runs at a time [default: as many as the CPUs have threads for]" },
  threads: { type: "number", describe: "Threads of a run [default: 1, more if there are fewer runs than CPUs]" },
  backend: { choices: backendNames, describe: "tfjs backend of the runs [default: native]" },
  scaling: {
    type: "boolean",
    default: false,
    describe: "With report: fit L(N), or L(N, D), for each kind of weights over the sizes of the sweep",
  },
  "dry-run": { type: "boolean", default: false, describe: "List the runs and what they will take, and stop" },
} as const satisfies Record<string, Options>;

export type SweepFlags = InferredOptionTypes<typeof sweepFlags>;
