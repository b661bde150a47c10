/** What attention and feed-forward share: quantizers, norms before linear layers, weights of a normal distribution. */
import * as tf from "@tensorflow/tfjs";
import { type NormPlacement, normPlacements } from "../config/graph_keys.ts";
import { bitLinear } from "../ops/bit_linear.ts";
import { concatColumns } from "../ops/concat_columns.ts";
import { observeLinear } from "../ops/linear_observer.ts";
import type { LinearQuantization } from "../ops/linear_quantization.ts";
import type { LinearSurroundings } from "../ops/linear_surroundings.ts";
import { defaultActivationQuantizer, defaultWeightQuantizer } from "../quantizers/registry.ts";
import { learntParameters } from "../quantizers/weight_quantizer.ts";
import { hashName } from "../random/counter_rng.ts";
import { BlockLayer, type LayerArgs, LayerInputError } from "./block_layer.ts";
import { type QuantizerPair, quantizedLinear } from "./quantized_linear.ts";
import { listedValue, type QuantizerIdentifier, resolveQuantizer, serializeQuantizer } from "./quantizers.ts";
import { RMSNorm } from "./rms_norm.ts";

/** Defaults are those of BitNet b1.58 2B4T. */
export interface QuantizedBlockArgs extends LayerArgs {
  /** Default `absmean_ternary`. */
  weightQuantizer?: QuantizerIdentifier;
  /** Default `absmax_int8`. */
  activationQuantizer?: QuantizerIdentifier;
  /** Of the model that the layer is part of: read at each forward pass, instead of the two quantizers. */
  quantization?: LinearQuantization;
  /**
   * Where RMSNorm stands: not in this block, before its last projection, or in every linear layer of it, which then needs
   * none before the block. Default `sub`.
   */
  normPlacement?: NormPlacement;
  /** Earlier name: true is the placement `sub`, false is `pre`. */
  useSubNorms?: boolean;
  /** Hadamard transform before the last projection, after its norm. Default false. */
  useHadamard?: boolean;
  /** Default 1e-5. */
  rmsNormEps?: number;
  /** Standard deviation of the initial weights. Default 0.02. */
  initializerRange?: number;
}

/** A weight [out, in] of a block, and the norm of its own input, if it has one. */
export interface BlockLinear {
  weight: tf.Tensor2D;
  norm: RMSNorm | null;
  /** What the weight quantizer has learnt for it. */
  learnt: readonly tf.Tensor[];
  /** Of its outputs, if it has one. */
  bias: tf.Tensor1D | null;
}

/** What a linear layer has besides its weight. */
interface LinearParts {
  /** Name of the norm that may stand before it in this block. */
  subNorm?: string;
  bias?: boolean;
}

/** The placement that the arguments of a layer name. @throws {LayerInputError} for any other. */
export function placementOf({ normPlacement, useSubNorms = true }: QuantizedBlockArgs): NormPlacement {
  const placement = normPlacement ?? (useSubNorms ? "sub" : "pre");
  // tfjs changes the words of a saved model into its own case.
  if ((placement as string) === "everyLinear") return "every_linear";
  if ((placement as string) === "prePost") return "pre_post";
  if (normPlacements.includes(placement)) return placement;
  throw new LayerInputError(`normPlacement "${placement}" is not one of ${normPlacements.join(", ")}`);
}

/** The biases of linear layers that share an input: all of them have one, or none. */
function biasOf(linears: readonly BlockLinear[]): tf.Tensor1D | undefined {
  if (linears[0].bias === null) return undefined;
  return linears.length === 1 ? linears[0].bias : (concatColumns(linears.map(({ bias }) => bias!)) as tf.Tensor1D);
}

export abstract class QuantizedBlock extends BlockLayer {
  private readonly normPlacement: NormPlacement;
  protected readonly useHadamard: boolean;
  private readonly quantizers: QuantizerPair;
  private readonly quantization: LinearQuantization | undefined;
  private readonly rmsNormEps: number;
  private readonly initializerRange: number;

  constructor(args: QuantizedBlockArgs) {
    super(args);
    this.quantizers = {
      weightQuantizer: resolveQuantizer(
        args.weightQuantizer === undefined ? defaultWeightQuantizer : args.weightQuantizer,
      ),
      activationQuantizer: resolveQuantizer(
        args.activationQuantizer === undefined ? defaultActivationQuantizer : args.activationQuantizer,
      ),
    };
    this.quantization = args.quantization;
    this.rmsNormEps = args.rmsNormEps ?? 1e-5;
    this.normPlacement = placementOf(args);
    this.useHadamard = args.useHadamard ?? false;
    this.initializerRange = args.initializerRange ?? 0.02;
  }

  /**
   * Adds the linear weight `name`.weight [out, input], what its quantizer learns for it, and `name`.bias [out].
   */
  protected addLinear(
    name: string,
    out: number,
    input: number,
    { subNorm, bias = false }: LinearParts = {},
  ): BlockLinear {
    const own = this.normPlacement === "every_linear" ? `${name}.rms_norm` : undefined;
    const normName = own ?? (this.normPlacement === "sub" ? subNorm : undefined);
    const norm = normName === undefined ? null : new RMSNorm({ epsilon: this.rmsNormEps });
    if (norm !== null) this.buildPart(normName!, norm, [null, null, input]);
    const initializer = tf.initializers.randomNormal({ mean: 0, stddev: this.initializerRange });
    const weight = this.addParameter(`${name}.weight`, [out, input], initializer) as tf.Tensor as tf.Tensor2D;
    const learnt = this.addLearnt(`${name}.weight`, weight);
    const added = bias ? this.addParameter(`${name}.bias`, [out], tf.initializers.zeros()) : null;
    return { weight, norm, learnt, bias: added as tf.Tensor as tf.Tensor1D | null };
  }

  private addLearnt(name: string, weight: tf.Tensor2D): tf.Tensor[] {
    const [rows, cols] = weight.shape;
    const quantizer = this.quantization ? this.quantization.weights : listedValue(this.quantizers.weightQuantizer);
    const parameters = learntParameters(quantizer, { rows, cols });
    return parameters.map((parameter) => {
      const variable = this.addParameter(`${name}_${parameter.suffix}`, [...parameter.shape], tf.initializers.zeros());
      tf.tidy(() => variable.assign(tf.tensor(parameter.initial(weight.dataSync<"float32">()), variable.shape)));
      return variable;
    });
  }

  /**
   * Quantized products with up to three weights, outputs concatenated: one product, unless each has a norm of its own.
   * `name` is the product's within the block.
   */
  protected linear(
    name: string,
    x: tf.Tensor,
    linears: readonly BlockLinear[],
    surroundings: LinearSurroundings,
  ): tf.Tensor {
    if (linears.length > 1 && linears[0].norm !== null) {
      return concatColumns(linears.map((each, i) => this.linear(`${name}${i}`, x, [each], surroundings)));
    }
    const around = { ...surroundings, norm: linears[0].norm ?? surroundings.norm, bias: biasOf(linears) };
    const weights = linears.map(({ weight }) => weight);
    observeLinear(this.path + name, x, around);
    const learnt = linears.map((each) => each.learnt);
    const place = hashName(this.path + name);
    return this.quantization
      ? bitLinear(x, weights, { ...this.quantization, learnt }, around, place)
      : quantizedLinear(x, weights, { ...this.quantizers, learnt }, around, place);
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return this.between(x, {});
  }

  /** residual + forward(norm(x)): the block with what stands around it in a decoder layer. */
  abstract between(x: tf.Tensor, around: { norm?: RMSNorm; residual?: tf.Tensor }): tf.Tensor;

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      weightQuantizer: serializeQuantizer(this.quantizers.weightQuantizer),
      activationQuantizer: serializeQuantizer(this.quantizers.activationQuantizer),
      normPlacement: this.normPlacement,
      useHadamard: this.useHadamard,
      rmsNormEps: this.rmsNormEps,
      initializerRange: this.initializerRange,
    };
  }
}
