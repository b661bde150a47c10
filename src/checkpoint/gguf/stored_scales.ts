/** What the codes of a file share scales by: keys do not always say it, blocks always do. */
import type { GgufFile } from "../../gguf/gguf_reader.ts";
import { GgufError } from "../../gguf/gguf_types.ts";
import { smallestScale } from "../../quantizers/ternary.ts";
import { type ScaleGranularity, scaleCount } from "../../quantizers/weight_quantizer.ts";
import { fillLatent } from "../packed_ternary.ts";
import { eachQuantizedRow, sizeOf, unitOf } from "./stored_rows.ts";

export interface StoredScales {
  granularity: ScaleGranularity;
  /** All levels are -1, 0 and 1. */
  ternary: boolean;
  /** The least scale of a block that is not all zero. */
  least: number;
}

/** Who shares scales in a tensor: the largest that holds. All-zero blocks agree with everybody. */
export async function scalesOf(file: GgufFile, name: string, group: number | null): Promise<StoredScales> {
  let perRow = true;
  let perTensor = true;
  let ternary = true;
  let least = Number.POSITIVE_INFINITY;
  let ofTensor = 0;
  const unit = unitOf(file, name, group);
  await eachQuantizedRow(file, name, unit, (levels, scales, row) => {
    let ofRow = 0;
    for (let u = 0; u < scales.length; u++) {
      let largest = -1;
      let zeros = 0;
      for (let i = u * unit; i < (u + 1) * unit; i++) {
        largest = Math.max(largest, levels[i]);
        zeros += Number(levels[i] === 0);
      }
      ternary &&= largest <= 1;
      const scale = Math.abs(scales[u]);
      if (!(scale < Number.POSITIVE_INFINITY)) {
        throw new GgufError(`${file.path}: tensor ${name} has the scale ${scales[u]} in row ${row}`);
      }
      if (zeros === unit || scale === 0) continue;
      perRow &&= ofRow === 0 || scale === ofRow;
      perTensor &&= ofTensor === 0 || scale === ofTensor;
      ofRow = scale;
      ofTensor = scale;
      least = Math.min(least, scale);
    }
  });
  const granularity = perTensor ? "tensor" : perRow ? "row" : "group";
  return {
    granularity: granularity === "group" ? { per: "group", size: unit } : { per: granularity },
    ternary,
    least,
  };
}

/** The finest of all. */
export function commonGranularity(all: readonly ScaleGranularity[]): ScaleGranularity {
  const fineness = (scales: ScaleGranularity) =>
    scales.per === "tensor" ? 0 : scales.per === "row" ? 1 : 1 + 1 / scales.size;
  return all.reduce((finest, each) => (fineness(each) > fineness(finest) ? each : finest), { per: "tensor" });
}

/**
 * The granularity that a file says; undefined if it leaves that to its blocks.
 * @param group of `bitnet-lab.quantization.scale_group`
 */
export function statedGranularity(group: number | undefined): ScaleGranularity | undefined {
  if (group === undefined) return undefined;
  if (group === 0) return { per: "tensor" };
  return group === 1 ? { per: "row" } : { per: "group", size: group };
}

/** @throws {GgufError} unless codes and scales are those of a quantizer here. */
export function requireTrainable(path: string, name: string, { ternary, least }: StoredScales): void {
  if (!ternary) throw new GgufError(`${path}: tensor ${name} holds a code that is not ternary`);
  if (least < smallestScale) {
    throw new GgufError(`${path}: a scale of tensor ${name} is ${least}, and no quantizer makes one below 1e-5`);
  }
}

/**
 * Latent weights whose quantizer makes the same codes and scales again, row-major.
 * @param rowOrder for each row of the file, the row that it becomes; null: the same
 */
export async function latentOf(
  file: GgufFile,
  name: string,
  granularity: ScaleGranularity,
  rowOrder: Int32Array | null = null,
): Promise<Float32Array> {
  const shape = sizeOf(file.info(name).shape);
  const codes = new Int8Array(shape.rows * shape.cols);
  const scales = new Float32Array(scaleCount(granularity, shape));
  const each = codes.length / scales.length;
  const unit = unitOf(file, name, granularity.per === "group" ? granularity.size : null);
  await eachQuantizedRow(file, name, unit, (levels, unitScales, row) => {
    const begin = (rowOrder?.[row] ?? row) * shape.cols;
    for (let u = 0; u < unitScales.length; u++) {
      const scale = unitScales[u];
      if (scale === 0) continue;
      let any = false;
      for (let i = u * unit; i < (u + 1) * unit; i++) {
        codes[begin + i] = scale < 0 ? -levels[i] : levels[i];
        any ||= levels[i] !== 0;
      }
      if (any) scales[Math.floor((begin + u * unit) / each)] = Math.abs(scale);
    }
  });
  const latent = new Float32Array(codes.length);
  for (let s = 0; s < scales.length; s++) {
    fillLatent(codes.subarray(s * each, (s + 1) * each), scales[s], latent, s * each);
  }
  return latent;
}
