/**
 * Tokenizers outside the byte-level BPE family (WordPiece, Unigram, BPE with byte fallback, anything with a
 * normalizer), encoded by @huggingface/tokenizers.
 */
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { charactersToBytes } from "./byte_alphabet.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { countIds, hashJson, namedTokenId } from "./tokenizer_identity.ts";
import { TokenizerError, type TokenizerJson } from "./tokenizer_json.ts";

const noBytes = new Uint8Array(0);

/** The vocabulary as an object: Unigram models list [token, score] pairs whose index is the id. */
function withVocabObject(json: TokenizerJson): TokenizerJson {
  const vocab: unknown = json.model.vocab;
  if (!Array.isArray(vocab)) return json;
  const entries = vocab.map((entry: [string, number], id): [string, number] => [entry[0], id]);
  return { ...json, model: { ...json.model, vocab: Object.fromEntries(entries) } };
}

export class LibraryTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
  readonly addsBos: boolean;
  readonly json: Record<string, unknown>;
  readonly config: Record<string, unknown> | null;
  private readonly implementation: HuggingFaceTokenizer;
  private readonly special: ReadonlySet<number>;
  private readonly byteLevel: boolean;
  private cachedHash: string | undefined;

  /** @throws {TokenizerError} if the library does not know the kind of tokenizer. */
  constructor(json: TokenizerJson, config: Record<string, unknown> | null) {
    this.json = json as unknown as Record<string, unknown>;
    this.config = config;
    try {
      this.implementation = new HuggingFaceTokenizer(json, config ?? {});
    } catch (error) {
      throw new TokenizerError(`the tokenizer cannot be used: ${(error as Error).message}`);
    }
    const listed = withVocabObject(json);
    this.vocabSize = countIds(listed);
    this.special = new Set((json.added_tokens ?? []).filter((token) => token.special).map((token) => token.id));
    this.byteLevel = json.decoder?.type === "ByteLevel";
    this.bosTokenId = namedTokenId("bos_token", listed, config);
    this.eosTokenId = namedTokenId("eos_token", listed, config);
    this.addsBos = this.bosTokenId !== null && this.encode("")[0] === this.bosTokenId;
  }

  get hash(): string {
    this.cachedHash ??= hashJson(this.json);
    return this.cachedHash;
  }

  encode(text: string, options: { addSpecialTokens?: boolean } = {}): number[] {
    return this.implementation.encode(text, { add_special_tokens: options.addSpecialTokens ?? true }).ids;
  }

  decode(ids: ArrayLike<number>, options: { skipSpecialTokens?: boolean } = {}): string {
    if (ids.length === 0) return "";
    return this.implementation.decode(Array.from(ids), {
      skip_special_tokens: options.skipSpecialTokens ?? true,
      clean_up_tokenization_spaces: this.config?.clean_up_tokenization_spaces === true,
    });
  }

  tokenBytes(id: number): Uint8Array {
    const token = this.special.has(id) ? undefined : this.implementation.id_to_token(id);
    if (token === undefined) return noBytes;
    if (this.byteLevel) return charactersToBytes(token);
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
    if (byte) return Uint8Array.of(Number.parseInt(byte[1], 16));
    // SentencePiece writes a space as U+2581, WordPiece marks the inside of a word with "##".
    return new TextEncoder().encode(token.replaceAll("\u2581", " ").replace(/^##/, ""));
  }
}
