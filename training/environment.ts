/** Contents of environment.json: what a run was made with. */
import { cpus, release, totalmem } from "node:os";
import * as tf from "@tensorflow/tfjs";
import type { BackwardPrecision } from "../src/config/backward_precision.ts";
import type { Compute } from "../src/ops/compute.ts";

/** Facts about the machine, the versions and the backend; `command` is the command line, `step` the updates made before. */
export function describeEnvironment(
  compute: Compute,
  packageVersion: string,
  command: readonly string[],
  precision: BackwardPrecision,
  step: number,
) {
  return {
    started: new Date().toISOString(),
    step,
    command: command.join(" "),
    directory: process.cwd(),
    bitnet_lab: packageVersion,
    node: process.version,
    tfjs: tf.version.tfjs,
    platform: `${process.platform} ${process.arch} ${release()}`,
    cpu: compute.cpu,
    cpus: cpus().length,
    memory_bytes: totalmem(),
    backend: compute.backend,
    kernel: compute.variant,
    features: compute.features,
    backward_precision: precision,
    threads: compute.threads,
  };
}
