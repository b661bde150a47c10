/**
 * A family of models of other programs: what its graph is, in the keys of graph_keys.ts, and what its class in transformers
 * takes for keys that a config.json leaves out. Import, both exports and the checkpoint's own config.json ask it; the
 * engine's side of it is native/cc/inference/families.cc.
 */
import type { AttentionBias, FeedForward, NormPlacement } from "../graph_keys.ts";
import type { HiddenAct, ModelConfig, ModelConfigJson } from "../model_config.ts";

/** That in which graphs differ. */
export interface Graph {
  norm_placement: NormPlacement;
  feed_forward: FeedForward;
  hidden_act: HiddenAct;
  use_hadamard: boolean;
  qk_norm: boolean;
  attention_bias: AttentionBias;
  mlp_bias: boolean;
  /** Whether most layers have a window. */
  sliding_window: boolean;
  embedding_multiplier: "none" | "root of hidden_size" | "another";
}

/** The values of each part that models of a family have. Of one value, it is the family's, whatever a file says. */
export type GraphOfFamily = { readonly [Part in keyof Graph]: readonly Graph[Part][] };

export interface ModelFamily {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** Its class in transformers, as `architectures` names it. */
  readonly className: string;
  /** Its name in `general.architecture` of GGUF files; null: llama.cpp computes that graph under none. */
  architecture(graph: Graph): string | null;
  readonly graph: GraphOfFamily;
  /** What the class takes for keys of a config.json that it leaves out. */
  readonly defaults: Partial<ModelConfigJson>;
  /**
   * Our keys of what its config.json says in words of its own, and those words, which it may set.
   * @throws {ModelConfigError} for a graph that is not computed here.
   */
  translate?(json: Readonly<Record<string, unknown>>): { keys: Partial<ModelConfigJson>; read: readonly string[] };
  /** What transformers adds to the gains of its norms that a checkpoint stores; such models are read, not written there. */
  readonly gainOffset?: number;
}

/** A plain decoder: what most families leave as it is. */
export const plainGraph: GraphOfFamily = {
  norm_placement: ["pre"],
  feed_forward: ["gated"],
  hidden_act: ["silu"],
  use_hadamard: [false],
  qk_norm: [false],
  attention_bias: ["none"],
  mlp_bias: [false],
  sliding_window: [false],
  embedding_multiplier: ["none"],
};

export function graphOf(config: ModelConfig): Graph {
  return {
    norm_placement: config.normPlacement,
    feed_forward: config.feedForward,
    hidden_act: config.hiddenAct,
    use_hadamard: config.useHadamard,
    qk_norm: config.qkNorm,
    attention_bias: config.attentionBias,
    mlp_bias: config.mlpBias,
    sliding_window: config.slidingWindow !== null,
    embedding_multiplier: multiplierOf(config),
  };
}

function multiplierOf({ embeddingMultiplier, hiddenSize }: ModelConfig): Graph["embedding_multiplier"] {
  if (embeddingMultiplier === 1) return "none";
  return embeddingMultiplier === Math.fround(Math.sqrt(hiddenSize)) ? "root of hidden_size" : "another";
}

/** Parts of the graph, as `key: value`, that no model of the family has. */
export function graphMisfits(family: ModelFamily, config: ModelConfig): string[] {
  return Object.entries(graphOf(config)).flatMap(([part, value]) => {
    const allowed: readonly unknown[] = family.graph[part as keyof Graph];
    return allowed.includes(value)
      ? []
      : [part === "attention_bias" ? biasKey(value as AttentionBias) : `${part}: ${value}`];
  });
}

/** Keys that every model of the family has, as a recipe says them; those with numbers are translated. */
export function fixedKeys({ graph }: ModelFamily): Partial<ModelConfigJson> {
  const { attention_bias: biases, sliding_window: _, embedding_multiplier: __, ...others } = graph;
  const fixed = Object.entries(others).filter(([, values]) => values.length === 1);
  const keys: Partial<ModelConfigJson> = Object.fromEntries(fixed.map(([key, [value]]) => [key, value]));
  return biases.length === 1 && biases[0] === "qkv" ? { ...keys, qkv_bias: true } : keys;
}

/** Keys of graph_keys.ts that a config.json of the family may set; transformers has the same. */
export function openKeys({ graph }: ModelFamily): string[] {
  return [
    ...(graph.attention_bias.includes("all") ? ["attention_bias"] : []),
    ...(graph.mlp_bias.length > 1 ? ["mlp_bias"] : []),
  ];
}

/** As a recipe says it. */
function biasKey(bias: AttentionBias): string {
  return bias === "qkv" ? "qkv_bias: true" : `attention_bias: ${bias === "all"}`;
}
