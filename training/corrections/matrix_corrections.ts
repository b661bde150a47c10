/** A correction at work on the matrices of a model. */
import * as tf from "@tensorflow/tfjs";
import type { CausalLM } from "../../src/model/causal_lm.ts";
import { learntNames, modelParameters } from "../../src/model/parameters.ts";
import { float32Values } from "../../src/ops/tensor_access.ts";
import type { UpdateObserver } from "../optimizers/optimizer.ts";
import type { Correction, UpdatedMatrix } from "./correction.ts";

export class MatrixCorrections {
  private readonly correction: Correction;
  private readonly matrices = new Map<string, { variable: tf.Variable; learnt: readonly tf.Variable[] }>();

  constructor({ config, parameters }: Pick<CausalLM, "config" | "parameters">, correction: Correction) {
    this.correction = correction;
    const specs = modelParameters(config);
    const learnt = learntNames(specs);
    for (const { name } of specs.filter(({ kind }) => kind === "matrix")) {
      const ofMatrix = (learnt.get(name) ?? []).map((each) => parameters.get(each)!);
      this.matrices.set(name, { variable: parameters.get(name)!, learnt: ofMatrix });
    }
  }

  /** What a correction does to the weights that a run begins with. */
  start(): void {
    const { correction } = this;
    if (!correction.start) return;
    for (const [name, { variable }] of this.matrices) {
      const { latent, shape, learnt } = this.read(name);
      assign(variable, correction.start(latent, shape, learnt));
    }
  }

  /** Adds the noise of update `step`; returns what takes it away again, to the bit. Null without noise. */
  perturb(step: number): (() => void) | null {
    const { noise } = this.correction;
    if (!noise) return null;
    const kept = Array.from(this.matrices, ([name, { variable }]) => {
      const latent = float32Values(variable);
      const added = noise(step, name, latent.length);
      assign(
        variable,
        latent.map((w, i) => w + added[i]),
      );
      return () => assign(variable, latent);
    });
    return () => {
      for (const restore of kept) restore();
    };
  }

  /** What corrects each matrix as soon as it is updated, and then shows it to `observer`; `observer` where nothing is due. */
  observer(step: number, learningRate: number, observer?: UpdateObserver): UpdateObserver | undefined {
    const correct = this.correction.after(step, learningRate);
    if (correct === null) return observer;
    let before: Float32Array | undefined;
    return {
      before: (name, parameter, ...others) => {
        if (this.matrices.has(name)) before = float32Values(parameter);
        observer?.before(name, parameter, ...others);
      },
      after: (name, parameter) => {
        if (before && this.matrices.has(name)) assign(parameter, correct({ ...this.read(name), before }));
        observer?.after(name, parameter);
      },
    };
  }

  private read(name: string): Omit<UpdatedMatrix, "before"> {
    const { variable, learnt } = this.matrices.get(name)!;
    const [rows, cols] = variable.shape;
    return { name, shape: { rows, cols }, latent: float32Values(variable), learnt: learnt.map(float32Values) };
  }
}

function assign(variable: tf.Variable, values: Float32Array): void {
  tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, "float32")));
}
