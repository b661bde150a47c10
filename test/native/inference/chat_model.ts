/** Random models with the tokenizer and chat template of a chat model: they answer in letters that mean nothing. */
import { exportModel } from "../../../export/export_model.ts";
import { planExport } from "../../../export/export_plan.ts";
import { randomParameters } from "../../../export/random_model.ts";
import type { ModelConfigJson } from "../../../src/config/model_config.ts";
import { CausalLM } from "../../../src/model/causal_lm.ts";
import { modelParameters } from "../../../src/model/parameters.ts";
import { byteLevelTokenizer } from "../../../src/tokenizer/byte_level_tokenizer.ts";
import { knownChatTemplates } from "../../../src/tokenizer/chat_template.ts";
import { smallConfig } from "../../export/small_model.ts";

/** Bytes are tokens. */
export const chatTokenizer = byteLevelTokenizer({
  specialTokens: ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"],
  bosToken: "<|begin_of_text|>",
  eosToken: "<|end_of_text|>",
  chatTemplate: knownChatTemplates.get("bitnet-b1.58-2B-4T"),
});

const isLetter = (id: number) => /[a-z]/i.test(String.fromCharCode(id)) && id < 128;

/** The model: 2 layers and 512 positions unless `changes` say otherwise. */
function chatModel(changes: Partial<ModelConfigJson>) {
  const config = smallConfig({ vocab_size: chatTokenizer.vocabSize, max_position_embeddings: 512, ...changes });
  const random = randomParameters(config, 1);
  const read = async (name: string) => {
    const values = await random(name);
    if (name !== "model.embed_tokens.weight") return values;
    // The embedding is the head, too: what is almost zero is almost never the likeliest token.
    return values.map((value, i) => (isLetter(Math.floor(i / config.hiddenSize)) ? value : value / 50));
  };
  return { config, read };
}

/** Writes it as a GGUF file. */
export function exportChatModel(file: string, changes: Partial<ModelConfigJson> = {}): Promise<void> {
  const { config, read } = chatModel(changes);
  const plan = planExport(config, chatTokenizer, { target: "bitnet-lab", type: "tq2_0", name: "chat" });
  return exportModel(plan, file, read);
}

/** The model as it is trained, on the current tfjs backend. */
export async function trainedChatModel(changes: Partial<ModelConfigJson> = {}): Promise<CausalLM> {
  const { config, read } = chatModel(changes);
  const values = new Map<string, Float32Array>();
  for (const { name } of modelParameters(config)) values.set(name, await read(name));
  return new CausalLM(config, { parameters: (name) => values.get(name)! });
}
