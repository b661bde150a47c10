/** True if cutting `text` at `position` and encoding both sides gives the ids of the whole. */
export type SafeCut = (text: string, position: number) => boolean;

/**
 * Where a stretch of text stands in its document: at its beginning, behind an added token, or, at the beginning of a
 * later part, right behind the text before it, so that nothing is put in front of it.
 */
export type Place = "start" | "inner" | "continued";

export interface EncodeOptions {
  /** Lets the post-processor add BOS / EOS. Default true. */
  addSpecialTokens?: boolean;
  /** The text goes on with a document after a {@link SafeCut}: nothing is put in front of it. Default false. */
  continued?: boolean;
}

/** What the rest of the code needs of a tokenizer. Ids are those of its `tokenizer.json`. */
export interface Tokenizer {
  /** Number of ids, added tokens included. */
  readonly vocabSize: number;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
  /** True if {@link encode} puts BOS in front by itself (the post-processor of the file says so). */
  readonly addsBos: boolean;
  /** The whole `tokenizer.json`, as parsed. */
  readonly json: Record<string, unknown>;
  /** `tokenizer_config.json` (chat template, special token names), when the model came with one. */
  readonly config: Record<string, unknown> | null;
  /** SHA-256 of the canonical JSON, in hex: the key of everything tokenized with it. */
  readonly hash: string;
  /** Where a long document may be cut; null if no place can be proved to be safe. */
  readonly safeCut: SafeCut | null;
  /** Ids of `text`. @throws {TokenizerError} if a part of it has none, nor has the vocabulary an unknown token. */
  encode(text: string, options?: EncodeOptions): number[];
  /** Text of `ids`; invalid UTF-8 becomes U+FFFD. `skipSpecialTokens` defaults to true. `decode([])` is "". */
  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string;
  /** Bytes that one token stands for (for bits per byte and streaming); empty for special tokens. */
  tokenBytes(id: number): Uint8Array;
}
