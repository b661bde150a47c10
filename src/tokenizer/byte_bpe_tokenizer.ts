/**
 * Tokenizer of the byte-level BPE family (GPT-2, LLaMA-3, our own). Ids are those of Hugging Face `tokenizers`; about
 * ten times as fast as the JavaScript library, which {@link LibraryTokenizer} uses for every other family.
 * `truncation` and `padding` of the file are ignored.
 */
import { AddedTokens } from "./added_tokens.ts";
import { BpeEncoder } from "./bpe_encoder.ts";
import { charactersToBytes } from "./byte_alphabet.ts";
import { compilePreTokenizer, type PreTokenizer } from "./pre_tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { countIds, hashJson, namedTokenId, templateOf } from "./tokenizer_identity.ts";
import { TokenizerError, type TokenizerJson } from "./tokenizer_json.ts";

const noBytes = new Uint8Array(0);

/** True if this class gives the ids of `json`; otherwise the file belongs to the library. */
export function isByteBpe(json: TokenizerJson): boolean {
  const { model } = json;
  return (
    (model.type ?? "BPE") === "BPE" &&
    Array.isArray(model.merges) &&
    !model.dropout &&
    !model.unk_token &&
    !model.continuing_subword_prefix &&
    !model.end_of_word_suffix &&
    !model.byte_fallback &&
    !json.normalizer &&
    json.decoder?.type === "ByteLevel" &&
    AddedTokens.areLiteral(json.added_tokens ?? []) &&
    templateOf(json.post_processor) !== null &&
    compilePreTokenizer(json.pre_tokenizer) !== null
  );
}

export class ByteBpeTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
  readonly addsBos: boolean;
  readonly json: Record<string, unknown>;
  readonly config: Record<string, unknown> | null;
  private readonly preTokenize: PreTokenizer;
  private readonly encoder: BpeEncoder;
  private readonly added: AddedTokens;
  private readonly template: { before: number[]; after: number[] };
  private readonly bytes: Uint8Array[];
  private readonly special = new Set<number>();
  private readonly addedContents = new Map<number, Uint8Array>();
  private cachedHash: string | undefined;

  /** @throws {TokenizerError} if {@link isByteBpe} is false for `json`, or its merges do not fit its vocabulary. */
  constructor(json: TokenizerJson, config: Record<string, unknown> | null) {
    const preTokenize = compilePreTokenizer(json.pre_tokenizer);
    const template = templateOf(json.post_processor);
    if (!preTokenize || !template) throw new TokenizerError("the tokenizer is not a byte-level BPE");
    this.json = json as unknown as Record<string, unknown>;
    this.config = config;
    this.preTokenize = preTokenize;
    this.template = template;
    this.encoder = new BpeEncoder(json.model);
    this.added = new AddedTokens(json.added_tokens ?? []);
    this.vocabSize = countIds(json);
    this.bytes = new Array<Uint8Array>(this.vocabSize).fill(noBytes);
    for (const [token, id] of Object.entries(json.model.vocab)) this.bytes[id] = charactersToBytes(token);
    for (const token of json.added_tokens ?? []) {
      this.addedContents.set(token.id, new TextEncoder().encode(token.content));
      if (token.special) this.special.add(token.id);
    }
    this.bosTokenId = namedTokenId("bos_token", json, config);
    this.eosTokenId = namedTokenId("eos_token", json, config);
    this.addsBos = this.bosTokenId !== null && template.before[0] === this.bosTokenId;
  }

  get hash(): string {
    this.cachedHash ??= hashJson(this.json);
    return this.cachedHash;
  }

  encode(text: string, options: { addSpecialTokens?: boolean } = {}): number[] {
    const addSpecialTokens = options.addSpecialTokens ?? true;
    const ids: number[] = addSpecialTokens ? [...this.template.before] : [];
    if (text !== "") {
      for (const part of this.added.split(text)) {
        if (typeof part === "number") ids.push(part);
        else for (const piece of this.preTokenize(part)) this.encoder.encodePiece(piece, ids);
      }
    }
    if (addSpecialTokens) ids.push(...this.template.after);
    return ids;
  }

  decode(ids: ArrayLike<number>, options: { skipSpecialTokens?: boolean } = {}): string {
    const skipSpecialTokens = options.skipSpecialTokens ?? true;
    const parts: Uint8Array[] = [];
    for (let i = 0; i < ids.length; i++) {
      if (this.special.has(ids[i])) {
        if (!skipSpecialTokens) parts.push(this.addedContents.get(ids[i])!);
      } else {
        parts.push(this.tokenBytes(ids[i]));
      }
    }
    return Buffer.concat(parts).toString("utf8");
  }

  tokenBytes(id: number): Uint8Array {
    if (this.special.has(id)) return noBytes;
    return this.addedContents.get(id) ?? this.bytes[id] ?? noBytes;
  }
}
