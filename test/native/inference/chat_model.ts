/** Random models with the tokenizer and chat template of a chat model: they answer in letters that mean nothing. */
import { planExport } from "../../../export/export_plan.ts";
import { planGguf, writeGgufExport } from "../../../export/gguf_export.ts";
import { randomParameters } from "../../../export/random_model.ts";
import type { ModelConfigJson } from "../../../src/config/model_config.ts";
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

/** Writes the model: 2 layers and 512 positions unless `changes` say otherwise. */
export function exportChatModel(file: string, changes: Partial<ModelConfigJson> = {}): Promise<void> {
  const config = smallConfig({ vocab_size: chatTokenizer.vocabSize, max_position_embeddings: 512, ...changes });
  const plan = planGguf(planExport(config, chatTokenizer, { target: "bitnet-lab", type: "tq2_0" }), "chat");
  const random = randomParameters(config, 1);
  return writeGgufExport(file, plan, async (name) => {
    const values = await random(name);
    if (name !== "model.embed_tokens.weight") return values;
    // The embedding is the head, too: what is almost zero is almost never the likeliest token.
    return values.map((value, i) => (isLetter(Math.floor(i / config.hiddenSize)) ? value : value / 50));
  });
}
