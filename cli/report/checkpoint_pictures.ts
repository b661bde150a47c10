/** The quantized matrices of a checkpoint as a report shows them. */
import { openCheckpoint, readParameter } from "../../src/checkpoint/checkpoint.ts";
import { weightQuantizerOf } from "../../src/config/model_quantizers.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import type { MatrixPicture } from "../../src/report/run/run_data.ts";
import { matrixPicture } from "./matrix_picture.ts";

/** Layers whose codes are shown: the first, the middle and the last one. */
function isPictured(name: string, layers: number): boolean {
  const [, layer] = /layers\.(\d+)\./.exec(name) ?? [];
  return layer !== undefined && [0, layers >> 1, layers - 1].includes(Number(layer));
}

/** All of them, one after the other; none of a model without codes. @throws {CheckpointError} */
export async function readCheckpointPictures(directory: string): Promise<MatrixPicture[]> {
  const checkpoint = await openCheckpoint(directory);
  try {
    const { config } = checkpoint;
    const quantizer = weightQuantizerOf(config);
    if (quantizer === null) return [];
    const pictures: MatrixPicture[] = [];
    const parameters = modelParameters(config);
    for (const spec of parameters.filter(({ kind }) => kind === "matrix")) {
      const [rows, cols] = spec.shape;
      const latent = await readParameter(checkpoint, spec);
      const learnt: Float32Array[] = [];
      for (const one of parameters.filter((other) => other.learnt?.matrix.name === spec.name)) {
        learnt.push(await readParameter(checkpoint, one));
      }
      const matrix = quantizer.quantize(latent, { rows, cols }, learnt);
      const hasCodes = isPictured(spec.name, config.numHiddenLayers);
      pictures.push(matrixPicture({ name: spec.name, rows, cols, latent, matrix, levels: quantizer.levels }, hasCodes));
    }
    return pictures;
  } finally {
    await checkpoint.tensors.close();
  }
}
