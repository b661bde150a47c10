/**
 * Gemma 3's text models (arXiv 2503.19786): norms before and after attention and feed-forward, QK norm, GELU by tanh,
 * embeddings times the square root of the width, and layers that see a window only, with a rotary base of their own. Its
 * checkpoints store gains less 1.
 */
import { ModelConfigError, type ModelConfigJson } from "../model_config.ts";
import { type ModelFamily, plainGraph } from "./family.ts";

type Json = Readonly<Record<string, unknown>>;

const defaultTypes = { pattern: 6, window: 4096, localTheta: 10000 };

/** The distance of layers that see everything; config.json lists them, or says it. */
function patternOf({ layer_types: types, sliding_window_pattern: pattern, num_hidden_layers: layers }: Json): number {
  if (!Array.isArray(types)) return Number(pattern ?? defaultTypes.pattern);
  const first = types.indexOf("full_attention");
  const found = first < 0 ? Number(layers) + 1 : first + 1;
  const expected = types.map((_, i) => ((i + 1) % found === 0 ? "full_attention" : "sliding_attention"));
  if (String(types) === String(expected)) return found;
  throw new ModelConfigError("layer_types is not supported: layers that see everything must follow one another evenly");
}

export const gemma3: ModelFamily = {
  modelType: "gemma3_text",
  className: "Gemma3ForCausalLM",
  architecture: () => "gemma3",
  graph: {
    ...plainGraph,
    norm_placement: ["pre_post"],
    hidden_act: ["gelu_tanh"],
    qk_norm: [true],
    sliding_window: [true],
    embedding_multiplier: ["root of hidden_size"],
  },
  defaults: {
    head_dim: 256,
    max_position_embeddings: 131072,
    rope_theta: 1000000,
    rms_norm_eps: 1e-6,
    hidden_act: "gelu_tanh",
  },
  gainOffset: 1,
  translate(json) {
    const { hidden_activation: activation = "gelu_pytorch_tanh", query_pre_attn_scalar: scalar = 256 } = json;
    if (activation !== "gelu_pytorch_tanh") {
      throw new ModelConfigError(`hidden_activation ${JSON.stringify(activation)} is not supported`);
    }
    if (scalar !== (json.head_dim ?? 256)) {
      throw new ModelConfigError(`query_pre_attn_scalar ${scalar} is not supported, only that of head_dim`);
    }
    const rope = json.rope_parameters as { sliding_attention?: { rope_theta?: number } } | undefined;
    const localTheta = rope?.sliding_attention?.rope_theta ?? json.rope_local_base_freq ?? defaultTypes.localTheta;
    const keys: Partial<ModelConfigJson> = {
      sliding_window: (json.sliding_window ?? defaultTypes.window) as number,
      sliding_window_pattern: patternOf(json),
      rope_local_theta: localTheta as number,
      embedding_multiplier: Math.fround(Math.sqrt(Number(json.hidden_size))),
    };
    const read =
      "hidden_activation query_pre_attn_scalar sliding_window sliding_window_pattern _sliding_window_pattern layer_types rope_local_base_freq";
    return { keys, read: read.split(" ") };
  },
};
