import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { trainBpe } from "../../../src/tokenizer/bpe_trainer.ts";
import { byteLevelTokenizer } from "../../../src/tokenizer/byte_level_tokenizer.ts";
import type { TokenizerJson } from "../../../src/tokenizer/tokenizer_json.ts";
import { generatedText } from "./generated_text.ts";

const folder = path.join(import.meta.dirname, "tokenizers");
mkdirSync(folder, { recursive: true });

function write(name: string, json: unknown): void {
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(json)}\n`);
}

const text = generatedText(3000);
writeFileSync(path.join(import.meta.dirname, "generated_text.txt"), text);
const gpt2 = (await trainBpe([text], { vocabSize: 480, preTokenizer: "gpt2" })).json as unknown as TokenizerJson;
const llama3 = (
  await trainBpe([text], {
    vocabSize: 520,
    preTokenizer: "llama3",
    bosToken: "<|begin_of_text|>",
    eosToken: "<|end_of_text|>",
    specialTokens: ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"],
  })
).json as unknown as TokenizerJson;
write("gpt2", gpt2);
write("llama3", llama3);
write("byte_level", byteLevelTokenizer({ specialTokens: ["<|eot_id|>"] }).json);

/** The parts of published tokenizers that ours do not use. */
const variants: [string, (json: TokenizerJson) => void][] = [
  ["gpt2_prefix_space", (json) => Object.assign(json.pre_tokenizer!, { add_prefix_space: true })],
  [
    "gpt2_added_tokens",
    (json) => {
      const flags = { single_word: false, lstrip: false, rstrip: false };
      json.added_tokens!.push(
        { id: 480, content: "<think>", ...flags, normalized: true, special: false },
        { id: 481, content: "<think> deeply", ...flags, normalized: true, special: false },
        { id: 482, content: "ox", ...flags, normalized: false, special: false },
      );
    },
  ],
  [
    "gpt2_digits",
    (json) => {
      const digits = { type: "Digits", individual_digits: true };
      json.pre_tokenizer = { type: "Sequence", pretokenizers: [digits, json.pre_tokenizer!] };
    },
  ],
  [
    "gpt2_stripping_tokens",
    (json) => {
      const flags = { single_word: false, normalized: false, special: true };
      json.added_tokens!.push({ id: 480, content: "<mask>", ...flags, lstrip: true, rstrip: false });
    },
  ],
];
for (const [name, change] of variants) {
  const json = structuredClone(gpt2);
  change(json);
  write(name, json);
}
const ignoring = structuredClone(llama3);
Object.assign(ignoring.model, { ignore_merges: true });
(ignoring.model.vocab as Record<string, number>)["Ġunmergeable"] = 520;
write("llama3_ignore_merges", ignoring);
