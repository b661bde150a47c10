/**
 * Whether `weight_scale` of packed codes multiplies (AutoBitLinear) or divides (BitLinear, onebitllms), by the values. The
 * inputs of q, k, v, gate and up are normed: of a trained model their outputs are of the order of 1. With codes c, gains g
 * of the norm and the scale s the RMS of an output is about s (or 1 / s) times the root of the sum of (c g)^2.
 */
import { unpackTernary } from "../checkpoint/packed_ternary.ts";
import type { InspectedModel, InspectedTensor } from "./inspected_model.ts";
import type { Finding } from "./model_facts.ts";
import { wholeFloats } from "./pieces.ts";

/** Matrices that are looked at. */
const mostMatrices = 10;
/** One meaning must be nearer to 1 by this factor: scales about 1 mean nearly the same either way. */
const leastFactor = 10;

const matrix = /^blk\.(\d+)\.(attn_q|attn_k|attn_v|ffn_gate|ffn_up)\.weight$/;

/** Null if the values do not tell. */
export async function scaleMeaningByValues(model: InspectedModel): Promise<Finding | null> {
  const packed = model.tensors.filter(({ ggufName, layout }) => layout.kind === "packed" && matrix.test(ggufName));
  const step = Math.max(1, Math.floor(packed.length / mostMatrices));
  const multiplied: number[] = [];
  const divided: number[] = [];
  for (let i = 0; i < packed.length && multiplied.length < mostMatrices; i += step) {
    const found = await outputSize(model, packed[i]);
    if (found === null) continue;
    multiplied.push(found.codes * found.scale);
    divided.push(found.codes / found.scale);
  }
  if (multiplied.length === 0) return null;
  const [whenMultiplied, whenDivided] = [median(multiplied), median(divided)];
  const distance = (value: number) => Math.abs(Math.log(value));
  const nearer = distance(whenDivided) - distance(whenMultiplied);
  if (Math.abs(nearer) < Math.log(leastFactor)) return null;
  return {
    name: nearer > 0 ? "multiplies" : "divides",
    why: `outputs of q, k, v, gate and up have an RMS of about ${Number(whenMultiplied.toPrecision(2))} if weight_scale multiplies, of ${Number(whenDivided.toPrecision(2))} if it divides; trained ones are of the order of 1`,
  };
}

async function outputSize(model: InspectedModel, tensor: InspectedTensor) {
  if (tensor.layout.kind !== "packed" || tensor.layout.scale === null) return null;
  const [, layer, name] = matrix.exec(tensor.ggufName)!;
  const [scale] = await wholeFloats(model, tensor.layout.scale);
  const norm = `blk.${layer}.${name.startsWith("attn") ? "attn" : "ffn"}_norm.weight`;
  const gains = await wholeFloats(model, model.tensors.find(({ ggufName }) => ggufName === norm)?.name ?? "");
  const [rows, cols] = tensor.shape;
  if (!(scale > 0) || !Number.isFinite(scale) || gains.length !== cols) return null;
  const codes = unpackTernary(await model.read(tensor, 0, tensor.bytes), rows, cols);
  let squares = 0;
  for (let i = 0; i < codes.length; i++) squares += (codes[i] * gains[i % cols]) ** 2;
  return { scale, codes: Math.sqrt(squares / rows) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
