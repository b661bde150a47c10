/**
 * Base of the layers that a decoder is made of: a `tf.layers.Layer` of one input tensor, which can contain other
 * such layers and knows its weights by their Hugging Face names.
 */

import * as tf from "@tensorflow/tfjs";
import { append } from "../arrays/large_arrays.ts";

/** A layer was given inputs that it cannot take. */
export class LayerInputError extends Error {
  override name = "LayerInputError";
}

/** Options of every tfjs layer: name, inputShape, trainable ... */
export type LayerArgs = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>;

type Shapes = tf.Shape | tf.Shape[];
type LayerInitializer = ReturnType<typeof tf.initializers.zeros>;

/** The shape of a single input. */
export function singleShape(shape: Shapes): tf.Shape {
  return (Array.isArray(shape[0]) ? shape[0] : shape) as tf.Shape;
}

/** The last dimension, which has to be known. */
export function lastDimension(shape: Shapes, layer: tf.layers.Layer): number {
  const size = singleShape(shape).at(-1);
  if (typeof size !== "number") throw new LayerInputError(`${layer.name}: the last input dimension must be known`);
  return size;
}

export abstract class BlockLayer extends tf.layers.Layer {
  private readonly namedWeights = new Map<string, tf.Variable>();
  /** Of this layer in its model, with a dot at the end; what `placeAt` and `buildPart` set. */
  protected path = "";
  private startsFromZeros = false;

  /** The layer's function, without tfjs-layers' bookkeeping. Differentiable. */
  abstract forward(x: tf.Tensor): tf.Tensor;

  /** Weights by name, contained layers' with their prefix (`self_attn.q_proj.weight`). Empty before `build`. */
  get parameters(): ReadonlyMap<string, tf.Variable> {
    return this.namedWeights;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const tensors = Array.isArray(inputs) ? inputs : [inputs];
    if (tensors.length !== 1) throw new LayerInputError(`${this.name} takes one tensor, got ${tensors.length}`);
    return tf.tidy(() => this.forward(tensors[0]));
  }

  override computeOutputShape(inputShape: Shapes): Shapes {
    return singleShape(inputShape);
  }

  /** Lets `build` fill the weights with zeros, contained layers' too: their values are about to be set. */
  override setFastWeightInitDuringBuild(value: boolean): void {
    super.setFastWeightInitDuringBuild(value);
    this.startsFromZeros = value;
  }

  /** Gives the layer its place in a model: the prefix of its weights' names. Before `build`. */
  placeAt(path: string): void {
    this.path = path;
  }

  /** Adds a trainable weight. Saved models store it under the layer's name / prefix + `name`. */
  protected addParameter(name: string, shape: number[], initializer: LayerInitializer): tf.Variable {
    const layerVariable = this.addWeight(this.path + name, shape, "float32", initializer);
    // LayerVariable.read() returns the variable that it wraps.
    const variable = layerVariable.read() as tf.Variable;
    this.namedWeights.set(name, variable);
    return variable;
  }

  /** Builds a contained layer and takes over its weights under `name` + ".". */
  protected buildPart(name: string, part: BlockLayer, inputShape: tf.Shape): void {
    part.path = `${this.path}${name}.`;
    part.setFastWeightInitDuringBuild(this.startsFromZeros);
    part.build(inputShape);
    append(this._trainableWeights, part.trainableWeights);
    for (const [key, variable] of part.parameters) this.namedWeights.set(`${name}.${key}`, variable);
  }
}
