/**
 * Names and shapes of a model's parameters, from its configuration alone: the state dict of Hugging Face's
 * `BitNetForCausalLM` / `LlamaForCausalLM`. Everything that stores or reads weights goes by this list.
 */
import type { ModelConfig } from "../config/model_config.ts";
import { weightQuantizerOf } from "../config/model_quantizers.ts";
import { type LearntParameter, learntParameters } from "../quantizers/weight_quantizer.ts";

/**
 * `matrix`: a linear weight [out, in], quantized by `weight_quantizer` and subject to weight decay.
 * `embedding`: [vocab, hidden], the embedding or an untied head; rounded to `embedding_dtype`.
 * `norm`: RMSNorm gain.
 * `bias`: added to a linear layer's outputs, float32.
 * `quantizer`: what `weight_quantizer` learns for a matrix, float32, after the matrix in the list.
 */
export type ParameterKind = "matrix" | "embedding" | "norm" | "bias" | "quantizer";

export interface ParameterSpec {
  name: string;
  /** Row-major. */
  shape: readonly number[];
  kind: ParameterKind;
  /** Of kind `quantizer`: the matrix that it belongs to, and its first value, given that matrix's. */
  learnt?: { matrix: ParameterSpec; initial: LearntParameter["initial"] };
}

export const embeddingName = "model.embed_tokens.weight";
export const finalNormName = "model.norm.weight";
export const headName = "lm_head.weight";
/** The head's product, tied or not, as observers of products know it. */
export const headProduct = "lm_head";

/** Prefix of decoder layer `index`: `model.layers.0.` */
export function layerPrefix(index: number): string {
  return `model.layers.${index}.`;
}

/** Parameters of one decoder layer, names relative to {@link layerPrefix}, in forward order. */
export function layerParameters(config: ModelConfig): ParameterSpec[] {
  const { hiddenSize, intermediateSize, headDim, normPlacement, attentionBias, mlpBias } = config;
  const qkvBias = attentionBias !== "none";
  const queryWidth = config.numAttentionHeads * headDim;
  const keyWidth = config.numKeyValueHeads * headDim;
  const norm = (name: string, width: number): ParameterSpec => ({ name, shape: [width], kind: "norm" });
  const quantizer = weightQuantizerOf(config);
  const blockNorm = (name: string) => (normPlacement === "every_linear" ? [] : [norm(name, hiddenSize)]);
  // Norms of four: with them post_attention_layernorm stands after the attention, as its name says.
  const postNorm = (name: string) => (normPlacement === "pre_post" ? [norm(name, hiddenSize)] : []);
  const headNorm = (name: string) => (config.qkNorm ? [norm(`self_attn.${name}.weight`, headDim)] : []);
  const linear = (name: string, out: number, input: number, bias: boolean, subNorm?: string): ParameterSpec[] => {
    const own = normPlacement === "every_linear" ? `${name}.rms_norm.weight` : undefined;
    const before = own ?? (normPlacement === "sub" ? subNorm : undefined);
    const matrix: ParameterSpec = { name: `${name}.weight`, shape: [out, input], kind: "matrix" };
    const learnt = learntParameters(quantizer, { rows: out, cols: input });
    const quantized = [matrix, ...learnt.map((parameter) => learntSpec(matrix, parameter))];
    if (bias) quantized.push({ name: `${name}.bias`, shape: [out], kind: "bias" });
    return before === undefined ? quantized : [norm(before, input), ...quantized];
  };
  return [
    ...blockNorm("input_layernorm.weight"),
    ...linear("self_attn.q_proj", queryWidth, hiddenSize, qkvBias),
    ...headNorm("q_norm"),
    ...linear("self_attn.k_proj", keyWidth, hiddenSize, qkvBias),
    ...headNorm("k_norm"),
    ...linear("self_attn.v_proj", keyWidth, hiddenSize, qkvBias),
    ...linear("self_attn.o_proj", hiddenSize, queryWidth, attentionBias === "all", "self_attn.attn_sub_norm.weight"),
    ...blockNorm("post_attention_layernorm.weight"),
    ...postNorm("pre_feedforward_layernorm.weight"),
    ...(config.feedForward === "gated" ? linear("mlp.gate_proj", intermediateSize, hiddenSize, mlpBias) : []),
    ...linear("mlp.up_proj", intermediateSize, hiddenSize, mlpBias),
    ...linear("mlp.down_proj", hiddenSize, intermediateSize, mlpBias, "mlp.ffn_sub_norm.weight"),
    ...postNorm("post_feedforward_layernorm.weight"),
  ];
}

function learntSpec(matrix: ParameterSpec, { suffix, shape, initial }: LearntParameter): ParameterSpec {
  return { name: `${matrix.name}_${suffix}`, shape, kind: "quantizer", learnt: { matrix, initial } };
}

/** The parameter under another prefix. */
function within(prefix: string, spec: ParameterSpec): ParameterSpec {
  const { learnt } = spec;
  const moved = { ...spec, name: prefix + spec.name };
  return learnt ? { ...moved, learnt: { ...learnt, matrix: within(prefix, learnt.matrix) } } : moved;
}

/** Names of what is learnt for each matrix, in the quantizer's order; for most models none. */
export function learntNames(parameters: readonly ParameterSpec[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { name, learnt } of parameters) {
    if (learnt) names.set(learnt.matrix.name, [...(names.get(learnt.matrix.name) ?? []), name]);
  }
  return names;
}

/** Every parameter of the model, in forward order. */
export function modelParameters(config: ModelConfig): ParameterSpec[] {
  const table = [config.vocabSize, config.hiddenSize];
  const layer = layerParameters(config);
  const parameters: ParameterSpec[] = [{ name: embeddingName, shape: table, kind: "embedding" }];
  for (let index = 0; index < config.numHiddenLayers; index++) {
    for (const spec of layer) parameters.push(within(layerPrefix(index), spec));
  }
  parameters.push({ name: finalNormName, shape: [config.hiddenSize], kind: "norm" });
  if (!config.tieWordEmbeddings) parameters.push({ name: headName, shape: table, kind: "embedding" });
  return parameters;
}

/** Number of elements of a parameter. */
export function parameterSize({ shape }: ParameterSpec): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Number of elements of all parameters. */
export function parameterCount(config: ModelConfig): number {
  return modelParameters(config).reduce((sum, spec) => sum + parameterSize(spec), 0);
}
