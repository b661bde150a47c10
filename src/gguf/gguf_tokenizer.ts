/**
 * The tokenizer of a GGUF file: the `tokenizer.json` that our exporter puts there, or, in files of other programs, one
 * built from llama.cpp's keys (`tokenizer.ggml.*`) with the ids that llama.cpp gives.
 */
import { loadTokenizer } from "../tokenizer/load_tokenizer.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { TokenizerJson } from "../tokenizer/tokenizer_json.ts";
import { byteBpeOfVocabulary } from "./bpe_vocabulary.ts";
import { chatTemplatesOfFile } from "./chat_template_keys.ts";
import { sentencePieceOfVocabulary } from "./spm_vocabulary.ts";
import { readVocabulary, type TokenizerMetadata } from "./vocabulary.ts";
import { wordPieceOfVocabulary } from "./wordpiece_vocabulary.ts";

export type { TokenizerMetadata } from "./vocabulary.ts";

/**
 * @throws {GgufError} that says which metadata are missing or not supported.
 * @throws {TokenizerError} if the tokenizer.json inside is not valid.
 */
export function tokenizerOf(file: TokenizerMetadata): Tokenizer {
  const config = file.metadata.get("tokenizer.huggingface.config");
  if (file.tokenizerJson !== null) {
    return loadTokenizer(file.tokenizerJson, typeof config === "string" ? config : null);
  }
  const vocabulary = readVocabulary(file);
  let json: TokenizerJson;
  switch (vocabulary.model) {
    case "gpt2":
      json = byteBpeOfVocabulary(vocabulary);
      break;
    case "llama":
      json = sentencePieceOfVocabulary(vocabulary);
      break;
    case "bert":
      json = wordPieceOfVocabulary(vocabulary);
      break;
    default:
      return vocabulary.fail(
        `its tokenizer.ggml.model is ${vocabulary.model ?? "missing"} (gpt2, byte-level BPE, llama, SentencePiece, and bert, WordPiece, are read)`,
      );
  }
  const { tokens, bosId, eosId } = vocabulary;
  const templates = Object.fromEntries(chatTemplatesOfFile(file.metadata, null));
  return loadTokenizer(json, {
    bos_token: bosId === null ? null : tokens[bosId],
    eos_token: eosId === null ? null : tokens[eosId],
    ...(Object.keys(templates).length > 0 && { chat_template: templates }),
  });
}
