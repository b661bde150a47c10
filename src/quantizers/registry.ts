/** The list of quantizers, and the forms in which a configuration names one: `name`, or `{ type: name, ...options }`. */
import { z } from "zod";
import type { ScaleDtype } from "../quant/dtypes.ts";
import { absmaxInt4 } from "./absmax_int4.ts";
import { absmaxInt8Quantizer } from "./absmax_int8.ts";
import { absmeanBinary } from "./absmean_binary.ts";
import { absmeanInt4 } from "./absmean_int4.ts";
import { absmeanTernaryQuantizer } from "./absmean_ternary.ts";
import { absmeanTernaryGroup } from "./absmean_ternary_group.ts";
import { absmeanTernaryRow } from "./absmean_ternary_row.ts";
import { absmedianTernary } from "./absmedian_ternary.ts";
import type { ActivationQuantizer, ActivationQuantizerDefinition } from "./activation_quantizer.ts";
import { dltTernary } from "./dlt_ternary.ts";
import { int2, int4, int8 } from "./integers.ts";
import { lsqTernary } from "./lsq_ternary.ts";
import { none } from "./none.ts";
import { seqTernary } from "./seq_ternary.ts";
import { sherryTernary } from "./sherry_ternary.ts";
import { tequilaTernary } from "./tequila_ternary.ts";
import { topkInt8 } from "./topk_int8.ts";
import { twnTernary } from "./twn_ternary.ts";
import type { ScaleGranularity, WeightQuantizer, WeightQuantizerDefinition } from "./weight_quantizer.ts";

export const weightQuantizers: readonly WeightQuantizerDefinition[] = [
  absmeanTernaryQuantizer,
  absmeanTernaryRow,
  absmeanTernaryGroup,
  absmedianTernary,
  twnTernary,
  lsqTernary,
  seqTernary,
  dltTernary,
  tequilaTernary,
  sherryTernary,
  absmeanBinary,
  int2,
  int4,
  int8,
  none,
];

export const activationQuantizers: readonly ActivationQuantizerDefinition[] = [
  absmaxInt8Quantizer,
  absmaxInt4,
  absmeanInt4,
  topkInt8,
  none,
];

/** BitNet b1.58's. */
export const defaultWeightQuantizer = absmeanTernaryQuantizer.name;
export const defaultActivationQuantizer = absmaxInt8Quantizer.name;

/** A quantizer as a configuration names it. Parsed: a name if it has no options, else all of its options. */
export type QuantizerDescription = string | { type: string; [option: string]: unknown };

interface Definition {
  name: string;
  options: z.ZodObject;
}

function schemaOf(definitions: readonly Definition[]) {
  const names = definitions.map(({ name }) => name);
  const [first, ...others] = definitions.map(({ name, options }) => options.extend({ type: z.literal(name) }));
  return z.union([z.enum(names), z.discriminatedUnion("type", [first, ...others])]).transform((value) => {
    const { type, ...given } = typeof value === "string" ? { type: value } : value;
    const options = definitions.find(({ name }) => name === type)!.options.parse(given);
    return (Object.keys(options).length === 0 ? type : { type, ...options }) as QuantizerDescription;
  });
}

export const weightQuantizerSchema = schemaOf(weightQuantizers);
export const activationQuantizerSchema = schemaOf(activationQuantizers);

function find<D extends Definition>(definitions: readonly D[], description: QuantizerDescription) {
  const { type, ...given } = typeof description === "string" ? { type: description } : description;
  const definition = definitions.find(({ name }) => name === type);
  if (definition === undefined) {
    throw new RangeError(`unknown quantizer "${type}": use ${definitions.map(({ name }) => name).join(", ")}`);
  }
  return { definition, options: definition.options.parse(given) };
}

/**
 * The quantizer of that description; null for weights as they are.
 * @throws {RangeError} if there is none of that name.
 */
export function makeWeightQuantizer(description: QuantizerDescription, scaleDtype: ScaleDtype): WeightQuantizer | null {
  const { definition, options } = find(weightQuantizers, description);
  return definition.create(options, scaleDtype);
}

/** @see makeWeightQuantizer */
export function makeActivationQuantizer(description: QuantizerDescription): ActivationQuantizer | null {
  const { definition, options } = find(activationQuantizers, description);
  return definition.create(options);
}

/** What a model file says that its reader computes: ternary codes times scales (the word of old files), or values. */
export function storedWeightQuantizer(quantizer: WeightQuantizer | null): string {
  return quantizer === null || quantizer.product === "values" ? none.name : absmeanTernaryQuantizer.name;
}

/** The way back: absmean's quantizer, which makes any ternary codes and such scales again of latent weights for them. */
export function ternaryQuantizerOf(scales: ScaleGranularity, product: "integers" | "values"): QuantizerDescription {
  if (scales.per === "tensor") return absmeanTernaryQuantizer.name;
  if (scales.per === "row") return absmeanTernaryRow.name;
  return { type: absmeanTernaryGroup.name, group_size: scales.size, product };
}

/** The quantizer that makes these codes of activations, and keeps that share of them. */
export function activationQuantizerOfCodes(codes: string, keep: number): QuantizerDescription {
  return keep === 1 ? codes : { type: topkInt8.name, keep };
}
