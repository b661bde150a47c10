/** The training forward as a scorer: on the current tfjs backend, of a checkpoint and of what an export makes of it. */
import * as tf from "@tensorflow/tfjs";
import { type Checkpoint, loadCausalLM, openCheckpoint, readParameter } from "../../src/checkpoint/checkpoint.ts";
import { isFloat } from "../../src/config/model_quantizers.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import type { ExportedModel } from "../exported_model.ts";
import type { ExportPlan } from "../targets/target.ts";
import type { Scorer } from "./compare_export.ts";

/** The model as trained. */
export function checkpointScorer(checkpoint: Checkpoint): Scorer {
  return scorerOf(() => loadCausalLM(checkpoint));
}

/** The model that an exported file stands for. */
export function exportedModelScorer(checkpoint: Checkpoint, { config, parameter }: ExportedModel): Scorer {
  return scorerOf(async () => {
    const values = new Map<string, Float32Array>();
    for (const spec of modelParameters(config)) {
      values.set(spec.name, parameter(spec.name, await readParameter(checkpoint, spec)));
    }
    return new CausalLM(config, { parameters: (name) => values.get(name)! });
  });
}

/** An exported directory, opened as any Hugging Face checkpoint; of a float model, as the user would have to say. */
export function directoryScorer(directory: string, { config }: ExportPlan): Scorer {
  return scorerOf(async () => {
    const checkpoint = await openCheckpoint(directory, { quantization: isFloat(config) ? "none" : undefined });
    try {
      return await loadCausalLM(checkpoint);
    } finally {
      await checkpoint.tensors.close();
    }
  });
}

/** Loads a model for one call and disposes of it. */
function scorerOf(load: () => Promise<CausalLM>): Scorer {
  return async (sequences) => {
    const model = await load();
    try {
      return sequences.map((ids) =>
        tf.tidy(() => {
          const shape: [number, number] = [1, ids.length - 1];
          const inputs = tf.tensor2d(ids.slice(0, -1), shape, "int32");
          const targets = tf.tensor2d(ids.slice(1), shape, "int32");
          return model.logProbs(inputs, targets).logProbs.dataSync<"float32">().slice();
        }),
      );
    } finally {
      model.dispose();
    }
  };
}
