/**
 * The decoder language model: embedding, decoder layers, final norm, head (tied to the embedding or not).
 *
 *     h = embed[ids];   h = layer(h) for each layer;   h = norm(h);   logits = h . head^T
 *
 * The embedding and the head are rounded to `embedding_dtype`, or made by `embedding_quantizer`, in the forward pass
 * (straight-through), so the file that stores them in that type loses nothing. All parameters are float32 variables under their checkpoint names.
 *
 * How the linear products quantize is a value beside the parameters: that of the configuration, unless training is in a
 * stage of its own.
 */
import * as tf from "@tensorflow/tfjs";
import { embeddingQuantizerOf } from "../config/embedding_keys.ts";
import { type ModelConfig, windowOf } from "../config/model_config.ts";
import { activationQuantizerOf, weightQuantizerOf } from "../config/model_quantizers.ts";
import { UserError } from "../errors/user_error.ts";
import { DecoderLayer } from "../layers/decoder_layer.ts";
import { RMSNorm } from "../layers/rms_norm.ts";
import { recomputesLayers } from "../ops/backward_pass.ts";
import { dropout } from "../ops/dropout.ts";
import { embeddingGather } from "../ops/embedding_gather.ts";
import { quantizedWeights } from "../ops/fake_quantize.ts";
import { headLogits, headLoss, scoreTargets } from "../ops/head_log_probs.ts";
import type { HeadTable } from "../ops/head_table.ts";
import { largestIndices } from "../ops/largest_indices.ts";
import { observeLinear } from "../ops/linear_observer.ts";
import type { LinearQuantization } from "../ops/linear_quantization.ts";
import { type ChunkLoss, logitsLoss } from "../ops/logits_loss.ts";
import { roundToDtype } from "../ops/round_to_dtype.ts";
import type { WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import { hashName } from "../random/counter_rng.ts";
import { initialValues } from "./initialization.ts";
import {
  embeddingName,
  finalNormName,
  headName,
  headProduct,
  layerPrefix,
  modelParameters,
  parameterSize,
} from "./parameters.ts";
import { recomputed } from "./recompute.ts";

/** Where the first parameter values come from: a seed, or the values of a checkpoint by name. */
export type Initialization = { seed: number } | { parameters: (name: string) => Float32Array };

/** Parameter values that do not fit the configuration. */
export class ParameterError extends UserError {
  override name = "ParameterError";
}

export class CausalLM {
  readonly config: ModelConfig;
  /** Every parameter under its checkpoint name, in forward order. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  private readonly layers: DecoderLayer[];
  private readonly norm: RMSNorm;
  private readonly embeddingQuantizer: WeightQuantizer | null;
  /** Every layer reads this one object at each forward pass. */
  private readonly products: LinearQuantization;

  /** @throws {ParameterError} if given values have the wrong length. */
  constructor(config: ModelConfig, initialization: Initialization) {
    this.config = config;
    this.products = { weights: weightQuantizerOf(config), activations: activationQuantizerOf(config) };
    this.layers = Array.from({ length: config.numHiddenLayers }, (_, i) => decoderLayer(config, i, this.products));
    this.embeddingQuantizer = embeddingQuantizerOf(config);
    this.norm = new RMSNorm({ epsilon: config.rmsNormEps });
    const built = this.buildLayers();

    const parameters = new Map<string, tf.Variable>();
    for (const spec of modelParameters(config)) {
      const values =
        "seed" in initialization
          ? initialValues(spec, config, initialization.seed)
          : initialization.parameters(spec.name);
      if (values.length !== parameterSize(spec)) {
        throw new ParameterError(`${spec.name} has ${values.length} values, its shape is [${spec.shape}]`);
      }
      const tensor = tf.tensor(values, [...spec.shape], "float32");
      const variable = built.get(spec.name);
      variable?.assign(tensor);
      parameters.set(spec.name, variable ?? tf.variable(tensor));
      tensor.dispose();
    }
    this.parameters = parameters;
  }

  /** What the linear products of the next forward pass quantize by: at first what the configuration says. */
  get quantization(): LinearQuantization {
    return { ...this.products };
  }

  set quantization(quantization: LinearQuantization) {
    Object.assign(this.products, { activationShare: undefined, ...quantization });
  }

  /** Final hidden states [B, T, H] of ids int32 [B, T]. Differentiable. */
  hidden(ids: tf.Tensor2D): tf.Tensor3D {
    return tf.tidy(() => this.hiddenStates(ids, this.embedding()));
  }

  /**
   * Mean of -log P(target) over targets >= 0, in nats; ids and targets int32 [B, T]. Differentiable: this is the
   * training loss.
   */
  loss(ids: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
    return tf.tidy(() => {
      const { hidden, head } = this.headInputs(ids);
      return headLoss(hidden, head, tf.reshape(targets, [-1]));
    });
  }

  /**
   * Sum of `lossOf` over chunks of the logits of ids int32 [B, T]; of the B * T tokens, the targets say which count.
   * Differentiable: a training loss of several terms.
   */
  lossOfLogits(ids: tf.Tensor2D, targets: tf.Tensor2D, lossOf: ChunkLoss): tf.Scalar {
    return tf.tidy(() => {
      const { hidden, head } = this.headInputs(ids);
      return logitsLoss(hidden, head, tf.reshape(targets, [-1]), lossOf);
    });
  }

  /** Log-probability of each target (0 where it is negative) and the arg max of its logits, [B, T] each. */
  logProbs(ids: tf.Tensor2D, targets: tf.Tensor2D): { logProbs: tf.Tensor2D; argmax: tf.Tensor2D } {
    return tf.tidy(() => {
      const { hidden, head } = this.headInputs(ids);
      const scores = scoreTargets(hidden, head, tf.reshape(targets, [-1]));
      return {
        logProbs: tf.reshape(scores.logProbs, ids.shape),
        argmax: tf.reshape(scores.argmax, ids.shape),
      };
    });
  }

  /**
   * The `count` likeliest ids at N of the positions of ids int32 [B, T] (of equal logits the smaller ids first), and their
   * log-probabilities with the bits of {@link logProbs}: [N, count] each. `positions` are indices into the B * T ids. Not
   * differentiable.
   */
  topLogProbs(
    ids: tf.Tensor2D,
    positions: readonly number[],
    count: number,
  ): { ids: Int32Array; logProbs: Float32Array } {
    const { vocabSize } = this.config;
    let likeliest = new Int32Array();
    const logProbs = tf.tidy(() => {
      const { hidden, head } = this.headInputs(ids);
      const rows: tf.Tensor2D = tf.gather(hidden, tf.tensor1d([...positions], "int32"));
      const logits = headLogits(rows, head).dataSync() as Float32Array;
      likeliest = Int32Array.from(
        positions.flatMap((_, n) => largestIndices(logits.subarray(n * vocabSize, (n + 1) * vocabSize), count)),
      );
      const places = likeliest.map((_, i) => Math.floor(i / count));
      const repeated: tf.Tensor2D = tf.gather(rows, tf.tensor1d(places, "int32"));
      return scoreTargets(repeated, head, tf.tensor1d(likeliest, "int32")).logProbs.dataSync() as Float32Array;
    });
    return { ids: likeliest, logProbs };
  }

  /** Logits [B, T, V]. Not differentiable. */
  logits(ids: tf.Tensor2D): tf.Tensor3D {
    return tf.tidy(() => {
      const { hidden, head } = this.headInputs(ids);
      return tf.reshape(headLogits(hidden, head), [...ids.shape, this.config.vocabSize]);
    });
  }

  /**
   * Logits [N, V] at N of the positions of ids int32 [B, T]: `positions` are indices into the B * T ids. Not
   * differentiable. For generation, which needs the last position of each row only.
   */
  logitsAt(ids: tf.Tensor2D, positions: readonly number[]): tf.Tensor2D {
    return tf.tidy(() => {
      const { hidden, head } = this.headInputs(ids);
      return headLogits(tf.gather(hidden, tf.tensor1d([...positions], "int32")), head);
    });
  }

  dispose(): void {
    for (const variable of this.parameters.values()) variable.dispose();
  }

  private buildLayers(): Map<string, tf.Variable> {
    const shape = [null, null, this.config.hiddenSize];
    const variables = new Map<string, tf.Variable>();
    this.layers.forEach((layer, index) => {
      // Values follow at once, so the layers start from zeros.
      layer.setFastWeightInitDuringBuild(true);
      layer.placeAt(layerPrefix(index));
      layer.build(shape);
      for (const [name, variable] of layer.parameters) variables.set(layerPrefix(index) + name, variable);
    });
    this.norm.build(shape);
    variables.set(finalNormName, this.norm.parameters.get("weight")!);
    return variables;
  }

  private embedding(): tf.Tensor2D {
    return this.tableOf(embeddingName);
  }

  /** Embedding or head as they are looked up and multiplied. */
  private tableOf(name: string): tf.Tensor2D {
    const latent = this.parameters.get(name)! as tf.Tensor as tf.Tensor2D;
    const quantizer = this.embeddingQuantizer;
    return quantizer === null ? roundToDtype(latent, this.config.embeddingDtype) : quantizedWeights(latent, quantizer);
  }

  private hiddenStates(ids: tf.Tensor2D, embedding: tf.Tensor2D): tf.Tensor3D {
    const { embeddingMultiplier } = this.config;
    const gathered = embeddingGather(embedding, ids);
    const embedded = embeddingMultiplier === 1 ? gathered : tf.mul(gathered, embeddingMultiplier);
    let x: tf.Tensor = dropout(embedded, hashName(`${embeddingName}.dropout`));
    for (const layer of this.layers) {
      const forward = (input: tf.Tensor) => layer.forward(input);
      x = recomputesLayers() ? recomputed(forward, x, [...layer.parameters.values()]) : forward(x);
    }
    return this.norm.forward(x) as tf.Tensor3D;
  }

  /** What the head multiplies: hidden states as rows [B * T, H] and its table [V, H]. */
  private headInputs(ids: tf.Tensor2D): { hidden: tf.Tensor2D; head: HeadTable } {
    const embedding = this.embedding();
    const hidden = tf.reshape(this.hiddenStates(ids, embedding), [ids.size, this.config.hiddenSize]) as tf.Tensor2D;
    observeLinear(headProduct, hidden);
    const { tieWordEmbeddings, embeddingDtype } = this.config;
    const table = tieWordEmbeddings ? embedding : this.tableOf(headName);
    return { hidden, head: { table, product: embeddingDtype === "int8_row" ? "int8" : "float" } };
  }
}

function decoderLayer(config: ModelConfig, index: number, quantization: LinearQuantization): DecoderLayer {
  const window = windowOf(config, index);
  return new DecoderLayer({
    numAttentionHeads: config.numAttentionHeads,
    numKeyValueHeads: config.numKeyValueHeads,
    headDim: config.headDim,
    ropeTheta: window === null ? config.ropeTheta : window.ropeTheta,
    ropeScaling: window === null ? config.ropeScaling : null,
    slidingWindow: window?.size ?? null,
    qkNorm: config.qkNorm,
    attentionBias: config.attentionBias,
    mlpBias: config.mlpBias,
    intermediateSize: config.intermediateSize,
    hiddenAct: config.hiddenAct,
    normPlacement: config.normPlacement,
    feedForward: config.feedForward,
    useHadamard: config.useHadamard,
    rmsNormEps: config.rmsNormEps,
    initializerRange: config.initializerRange,
    quantization,
  });
}
