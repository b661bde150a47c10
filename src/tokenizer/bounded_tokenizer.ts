/**
 * A tokenizer with more ids than its model has embedding rows, as adding a pad token makes it: what the model cannot
 * take is an error where it occurs in a text, as in transformers, and does no harm where it does not.
 */
import type { EncodeOptions, SafeCut, Tokenizer } from "./tokenizer.ts";
import { TokenizerError, type TokenizerJson, vocabularyOf } from "./tokenizer_json.ts";

class BoundedTokenizer implements Tokenizer {
  private readonly inner: Tokenizer;
  readonly vocabSize: number;

  constructor(inner: Tokenizer, rows: number) {
    this.inner = inner;
    this.vocabSize = rows;
  }

  get bosTokenId(): number | null {
    return this.known(this.inner.bosTokenId);
  }

  get eosTokenId(): number | null {
    return this.known(this.inner.eosTokenId);
  }

  get addsBos(): boolean {
    return this.inner.addsBos;
  }

  get json(): Record<string, unknown> {
    return this.inner.json;
  }

  get config(): Record<string, unknown> | null {
    return this.inner.config;
  }

  get hash(): string {
    return this.inner.hash;
  }

  get safeCut(): SafeCut | null {
    return this.inner.safeCut;
  }

  encode(text: string, options?: EncodeOptions): number[] {
    const ids = this.inner.encode(text, options);
    const beyond = ids.find((id) => id >= this.vocabSize);
    if (beyond === undefined) return ids;
    const token = JSON.stringify(this.inner.decode([beyond], { skipSpecialTokens: false }));
    throw new TokenizerError(
      `the text has the token ${token}, whose id ${beyond} is beyond the model's ${this.vocabSize} embedding rows`,
    );
  }

  decode(ids: ArrayLike<number>, options?: { skipSpecialTokens?: boolean }): string {
    return this.inner.decode(ids, options);
  }

  tokenBytes(id: number): Uint8Array {
    return this.inner.tokenBytes(id);
  }

  private known(id: number | null): number | null {
    return id !== null && id < this.vocabSize ? id : null;
  }
}

/**
 * The tokenizer for a model of `rows` embedding rows.
 * @throws {TokenizerError} if not only added tokens are beyond them: it is another model's.
 */
export function boundedTokenizer(tokenizer: Tokenizer, rows: number): Tokenizer {
  if (tokenizer.vocabSize <= rows) return tokenizer;
  const { model } = tokenizer.json as unknown as TokenizerJson;
  const beyond = vocabularyOf(model).find(([, id]) => id >= rows);
  if (beyond === undefined) return new BoundedTokenizer(tokenizer, rows);
  const [text, id] = beyond;
  throw new TokenizerError(
    `the tokenizer has the id ${id} (${JSON.stringify(text)}), the model only ${rows} embedding rows: they do not belong together`,
  );
}
