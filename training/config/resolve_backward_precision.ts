/**
 * What `training.backward_precision: auto` means: the precision that this CPU multiplies fastest among those that end in
 * float32's loss within the spread of seeds (experiments/studies/backward_precision.ts; the rows are in
 * experiments/results/backward_precision.jsonl). It is resolved once, at the start of a run, and then is the run's.
 */
import type { BackwardPrecision } from "../../src/config/backward_precision.ts";
import { resolveModelConfig } from "../../src/config/model_config.ts";
import { isQuantized } from "../../src/config/model_quantizers.ts";
import type { RunConfig } from "./run_config.ts";

/** What the choice depends on. */
export interface BackwardMachine {
  /** Kernel variant that will run (`avx2` ...); `composed` without ours. */
  variant: string;
  /** True if the model multiplies ternary weights by quantized activations. */
  isQuantized: boolean;
}

export interface ResolvedPrecision {
  precision: BackwardPrecision;
  reason: string;
}

interface Rule extends ResolvedPrecision {
  variant: string;
}

/**
 * None: f32. int8 wherever its products are faster, because the study finds bf16 no closer to float32 than int8, and no CPU
 * multiplies bf16 faster: AMX's tiles half as fast, VDPBF16PS half as fast on Zen 4 and an eighth on Intel's CPUs.
 */
const rules: readonly Rule[] = [
  { variant: "amx", precision: "int8", reason: "AMX multiplies int8 many times as fast as float32" },
  { variant: "avx512vnni", precision: "int8", reason: "VNNI multiplies int8 four times as fast as float32" },
  { variant: "avxvnni", precision: "int8", reason: "VNNI multiplies int8 four times as fast as float32" },
  { variant: "avx2", precision: "int8", reason: "AVX2 multiplies int8 faster than float32" },
  { variant: "neondot", precision: "int8", reason: "dot products of int8 are faster than float32 ones" },
];

/** @returns the precision and why, in a few words for people. */
export function resolveBackwardPrecision({ variant, isQuantized }: BackwardMachine): ResolvedPrecision {
  if (!isQuantized) return { precision: "f32", reason: "the model has no product of integers" };
  const rule = rules.find((each) => each.variant === variant);
  return rule ?? { precision: "f32", reason: `${variant} kernels multiply nothing faster than float32` };
}

/** A configuration that a run can start with: `auto` is resolved. */
export type StartableConfig = RunConfig & { training: { backward_precision: BackwardPrecision } };

/**
 * `config` with its backward precision resolved.
 * @returns also the reason, where there was something to resolve.
 */
export function withBackwardPrecision(
  config: RunConfig,
  machine: Omit<BackwardMachine, "isQuantized">,
): { config: StartableConfig; reason?: string } {
  const { model, training } = config;
  const asked = training.backward_precision;
  if (asked !== "auto") return { config: { ...config, training: { ...training, backward_precision: asked } } };
  const { precision, reason } = resolveBackwardPrecision({
    ...machine,
    isQuantized: isQuantized(resolveModelConfig(model)),
  });
  return { config: { ...config, training: { ...training, backward_precision: precision } }, reason };
}
