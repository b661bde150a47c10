/**
 * An exponential moving average of the weights, beside the weights that are trained:
 *
 *     a = d_t a + (1 - d_t) w,   d_t = min(decay, (1 + t) / (10 + t))        after update t
 *
 * (Polyak and Juditsky, SIAM J. Control Optim. 30, 1992; d_t as in TensorFlow's ExponentialMovingAverage, so that the initial
 * weights are soon forgotten). A measurement: of float models such an average is often better than the weights, of ternary
 * ones it is reported to be far worse, because averaged latent weights have other codes than those that were trained.
 * Nothing is exported from it.
 */
import * as tf from "@tensorflow/tfjs";
import { CausalLM } from "../src/model/causal_lm.ts";
import type { NamedTensor } from "./optimizers/optimizer.ts";

export class WeightAverage {
  /** The average as a model of its own: with the quantizers of the configuration, whatever stage the trained one is in. */
  readonly model: CausalLM;
  private readonly decay: number;

  /** @param decay below 1 */
  constructor(model: CausalLM, decay: number) {
    this.decay = decay;
    const parameters = (name: string) => model.parameters.get(name)!.dataSync<"float32">();
    this.model = new CausalLM(model.config, { parameters });
  }

  /** Takes in the weights after update number `step`. */
  update({ parameters }: CausalLM, step: number): void {
    const decay = Math.min(this.decay, (1 + step) / (10 + step));
    for (const [name, average] of this.model.parameters) {
      tf.tidy(() => average.assign(tf.add(tf.mul(average, decay), tf.mul(parameters.get(name)!, 1 - decay))));
    }
  }

  /** To be stored and restored. */
  *state(): Generator<NamedTensor> {
    for (const [name, tensor] of this.model.parameters) yield { name: `ema.${name}`, tensor };
  }

  dispose(): void {
    this.model.dispose();
  }
}
