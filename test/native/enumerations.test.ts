/** The names that TypeScript gives to arguments of the addon are the names that the addon knows. */
import { expect, it } from "vitest";
import { loadAddon } from "../../native/addon.ts";
import type {
  BinaryLayout,
  BinaryOp,
  InputActivation,
  Reduction,
  UnaryOp,
  WeightSource,
} from "../../native/backend/training_addon.ts";
import { headPrecisions, kvTypes } from "../../native/inference/native_engine.ts";
import { backwardPrecisions } from "../../src/config/backward_precision.ts";
import { normPlacements } from "../../src/config/graph_keys.ts";
import { type HiddenAct, hiddenActs } from "../../src/config/model_config.ts";
import type { HeadProduct } from "../../src/ops/head_table.ts";
import { embeddingDtypes, scaleDtypes } from "../../src/quant/dtypes.ts";
import type { ActivationCodes } from "../../src/quantizers/activation_quantizer.ts";
import { hasNative } from "../support/tfjs_backends.ts";

/** The members of a union: the compiler wants all of them, and no other. */
function namesOf<Name extends string>(names: Record<Name, true>): string[] {
  return Object.keys(names);
}

const expected: Record<string, readonly string[]> = {
  scaleDtype: scaleDtypes,
  backwardPrecision: backwardPrecisions,
  tableType: embeddingDtypes,
  headProduct: namesOf<HeadProduct>({ float: true, int8: true }),
  headPrecision: headPrecisions,
  kvType: kvTypes,
  weightSource: namesOf<WeightSource>({
    values: true,
    absmean_tensor: true,
    absmean_row: true,
    codes: true,
    absmean_group_64: true,
    absmean_group_128: true,
    absmean_group_256: true,
  }),
  gateActivation: namesOf<HiddenAct>({ relu2: true, silu: true, gelu_tanh: true }),
  inputActivation: namesOf<InputActivation>({
    none: true,
    relu2: true,
    silu: true,
    gelu_tanh: true,
    squared_relu: true,
  }),
  activationCodes: namesOf<ActivationCodes | "none">({
    none: true,
    absmax_int8: true,
    absmax_int4: true,
    absmean_int4: true,
  }),
  normPlacement: normPlacements,
  hiddenAct: hiddenActs,
  biases: ["none", "qkv", "any"],
  reduction: namesOf<Reduction>({ sum: true, mean: true, max: true }),
  binaryLayout: namesOf<BinaryLayout>({ same: true, scalar: true, row: true, column: true }),
  binaryOp: namesOf<BinaryOp>({
    add: true,
    sub: true,
    mul: true,
    div: true,
    maximum: true,
    minimum: true,
    squaredDifference: true,
  }),
  unaryOp: namesOf<UnaryOp>({
    relu: true,
    square: true,
    sqrt: true,
    rsqrt: true,
    exp: true,
    neg: true,
    abs: true,
    sigmoid: true,
  }),
};

it.runIf(hasNative)("the addon and TypeScript know the same names", () => {
  const sorted = (names: Record<string, readonly string[]>) =>
    Object.fromEntries(Object.entries(names).map(([title, list]) => [title, [...list].sort()]));
  expect(sorted(loadAddon().enumerations())).toEqual(sorted(expected));
});

it.runIf(hasNative)("another name is refused with those that are known", () => {
  const [x, y] = [Float32Array.of(1, 2), new Float32Array(2)];
  expect(() => loadAddon().unary("sine" as UnaryOp, x, y)).toThrow(/unary: argument 0 must be one of relu, square/);
});
