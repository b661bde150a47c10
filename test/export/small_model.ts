/** A small model and tokenizer in memory, for tests of the exporter. */

import {
  type ModelConfig,
  type ModelConfigJson,
  modelConfigSchema,
  resolveModelConfig,
} from "../../src/config/model_config.ts";
import { modelParameters, parameterSize } from "../../src/model/parameters.ts";
import { CounterRng } from "../../src/random/counter_rng.ts";
import { byteCharacters } from "../../src/tokenizer/byte_alphabet.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

/** Two layers with grouped-query attention; every row packs in every type. */
export function smallConfig(changes: Partial<ModelConfigJson> = {}): ModelConfig {
  return resolveModelConfig(
    modelConfigSchema.parse({
      hidden_size: 256,
      num_hidden_layers: 2,
      intermediate_size: 512,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      vocab_size: 300,
      max_position_embeddings: 128,
      ...changes,
    }),
  );
}

/** Made once for all tests of a file: the generator is the slowest part of most. */
const made = new Map<string, Float32Array>();

function latentWeights(name: string, size: number): Float32Array {
  const key = `${name} ${size}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const rng = new CounterRng(3, name);
  const values = Float32Array.from({ length: size }, () => (rng.uniform() - 0.5) * 0.1);
  made.set(key, values);
  return values;
}

/** Random latent weights by parameter name; gains about 1; what is learnt as it starts. The arrays are shared: change copies. */
export function smallParameters(config: ModelConfig): Map<string, Float32Array> {
  const parameters = new Map<string, Float32Array>();
  for (const spec of modelParameters(config)) {
    const { name, kind, learnt } = spec;
    const values = learnt
      ? learnt.initial(parameters.get(learnt.matrix.name)!)
      : latentWeights(name, parameterSize(spec));
    parameters.set(name, kind === "norm" ? values.map((value) => value + 1) : values);
  }
  return parameters;
}

export function readerOf(parameters: ReadonlyMap<string, Float32Array>) {
  return async (name: string) => parameters.get(name)!;
}

/**
 * A byte-level BPE with two merges, a special token (EOS) and an added token that is none.
 * `json` replaces keys of tokenizer.json that the exporter looks at; encoding stays as it is.
 */
export function smallTokenizer(changes: { json?: object; config?: object | null } = {}): Tokenizer {
  const vocab = Object.fromEntries([...byteCharacters, "he", "hel"].map((text, id) => [text, id]));
  const json = {
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    decoder: { type: "ByteLevel" },
    added_tokens: [
      { id: 258, content: "<|endoftext|>", special: true },
      { id: 259, content: "<note>", special: false },
    ],
    model: { type: "BPE", vocab, merges: ["h e", ["he", "l"]] },
  };
  const tokenizer = loadTokenizer(json, changes.config ?? null);
  return Object.assign(tokenizer, { json: { ...json, ...changes.json } });
}
