/** The tokenizer of a GGUF file that no engine has opened. */
import { loadTokenizer } from "../tokenizer/load_tokenizer.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { readGgufMetadata } from "./gguf_reader.ts";
import { tokenizerOf } from "./gguf_tokenizer.ts";
import type { GgufMetadata } from "./gguf_types.ts";

/** @throws {GgufError | TokenizerError} that says what is missing or not supported. */
export async function readGgufTokenizer(file: string): Promise<Tokenizer> {
  return tokenizerOfEntries(file, await readGgufMetadata(file));
}

/** The same of the metadata of `file`, which have been read. */
export function tokenizerOfEntries(file: string, entries: GgufMetadata): Tokenizer {
  const metadata = new Map<string, string | number | boolean>();
  for (const [key, entry] of entries) if (entry.type !== "array") metadata.set(key, entry.value);
  const json = metadata.get("tokenizer.huggingface.json");
  return tokenizerOf({
    path: file,
    metadata,
    tokenizerJson: typeof json === "string" ? json : null,
    metadataArray: (key) => {
      const entry = entries.get(key);
      return entry?.type === "array" && entry.of !== "array" ? [...entry.value] : undefined;
    },
  });
}

/**
 * The tokenizer that a path names: a GGUF file, a tokenizer.json, or a folder with one.
 * @throws {GgufError | TokenizerError}
 */
export async function openTokenizer(file: string): Promise<Tokenizer> {
  return file.endsWith(".gguf") ? readGgufTokenizer(file) : loadTokenizer(file);
}
