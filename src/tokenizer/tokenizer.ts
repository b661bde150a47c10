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
  /** Ids of `text`. `addSpecialTokens` (default true) lets the post-processor add BOS / EOS. */
  encode(text: string, options?: { addSpecialTokens?: boolean }): number[];
  /** Text of `ids`; invalid UTF-8 becomes U+FFFD. `skipSpecialTokens` defaults to true. `decode([])` is "". */
  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string;
  /** Bytes that one token stands for (for bits per byte and streaming); empty for special tokens. */
  tokenBytes(id: number): Uint8Array;
}
