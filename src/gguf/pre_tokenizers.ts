/**
 * Pre-tokenizers of byte-level BPE vocabularies by the names that llama.cpp has for them (`tokenizer.ggml.pre`), and
 * what else it takes from the name. Source of the facts: ggml-org/llama.cpp, llama-vocab.cpp.
 */
import { splits } from "../tokenizer/split_patterns.ts";

export interface NamedPreTokenizer {
  readonly patterns: readonly string[];
  /** A piece that is a token needs no merges. */
  readonly ignoresMerges?: true;
  /** BOS goes in front where the file does not say. */
  readonly addsBos?: true;
}

const llama3: NamedPreTokenizer = { patterns: splits.llama3, ignoresMerges: true, addsBos: true };
const gpt2: NamedPreTokenizer = { patterns: splits.gpt2 };
const qwen2: NamedPreTokenizer = { patterns: splits.qwen2 };
const digits: NamedPreTokenizer = { patterns: splits.digits };
const gpt4o: NamedPreTokenizer = { patterns: splits.gpt4o };
const deepseekV3: NamedPreTokenizer = { patterns: splits.deepseekV3 };
const bailing: NamedPreTokenizer = { patterns: splits.bailing };
const bloom: NamedPreTokenizer = { patterns: splits.bloom };

/** One line a kind: its names, and how it splits. */
const kinds: readonly (readonly [names: string, kind: NamedPreTokenizer])[] = [
  ["default", { patterns: splits.default }],
  ["llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", llama3],
  ["dbrx smaug-bpe glm4 chatglm-bpe", { patterns: splits.llama3 }],
  ["gpt-2 gpt2 phi-2 mpt olmo jais trillion granite-docling exaone4", gpt2],
  ["gigachat jina-es jina-de jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert", gpt2],
  ["qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 hunyuan megrez solar-open grok-2", qwen2],
  ["qwen35", { patterns: splits.qwen35 }],
  ["smollm starcoder refact command-r codeshell exaone minerva-7b mellum2", digits],
  ["falcon", { patterns: splits.falcon }],
  ["deepseek-v3 hunyuan-dense joyai-llm hy_v4", deepseekV3],
  ["deepseek-coder", { patterns: splits.deepseekCoder }],
  ["tekken", { patterns: splits.tekken, ignoresMerges: true, addsBos: true }],
  ["gpt-4o llama4 kanana2 talkie minimax-m2", gpt4o],
  ["superbpe", { patterns: splits.superBpe }],
  ["bailingmoe bailingmoe2 llada-moe", bailing],
  ["seed-coder", { patterns: splits.seedCoder }],
  ["bloom poro-chat gpt3-finnish", bloom],
  ["viking", { patterns: splits.viking }],
];

export const namedPreTokenizers: ReadonlyMap<string, NamedPreTokenizer> = new Map(
  kinds.flatMap(([names, kind]) => names.split(" ").map((name): [string, NamedPreTokenizer] => [name, kind])),
);
