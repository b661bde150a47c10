/**
 * A `tokenizer.json`, of any of the families that Hugging Face's `tokenizers` has: normalizer, pre-tokenizer, model,
 * post-processor, decoder. The ids are those of that library, byte for byte; `truncation` and `padding` of the file are
 * ignored, as transformers does unless asked for them, and so is the dropout of a BPE.
 */
import { AddedTokens, assignAddedIds } from "./added_tokens.ts";
import { charactersToBytes } from "./byte_alphabet.ts";
import { cleanUp, compileDecoder } from "./decoder.ts";
import { modelEncoder } from "./model_encoder.ts";
import { compileNormalizer } from "./normalizer.ts";
import { CachedEncoder } from "./piece_encoder.ts";
import { compilePreTokenizer, type PreTokenizer, toByteCharacters } from "./pre_tokenizer.ts";
import { safeCut } from "./safe_cut.ts";
import type { EncodeOptions, SafeCut, Tokenizer } from "./tokenizer.ts";
import { hashJson, namedTokenId, templateOf } from "./tokenizer_identity.ts";
import { type TokenizerJson, vocabularyOf } from "./tokenizer_json.ts";

const loneSurrogate = /\p{Surrogate}/gu;
const noBytes = new Uint8Array(0);

export class JsonTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
  readonly addsBos: boolean;
  readonly json: Record<string, unknown>;
  readonly config: Record<string, unknown> | null;
  readonly safeCut: SafeCut | null;
  private readonly added: AddedTokens;
  private readonly preTokenizer: PreTokenizer;
  private readonly encoder: CachedEncoder;
  private readonly template: { before: number[]; after: number[] };
  /** Text of each id, as the decoder takes it. */
  private readonly texts: (string | undefined)[];
  private readonly special = new Set<number>();
  private readonly decodeTexts: (texts: readonly string[]) => string;
  private readonly isByteLevel: boolean;
  private cachedHash: string | undefined;

  /** @throws {TokenizerError} if a part of `json` is not known, or does not fit its vocabulary. */
  constructor(json: TokenizerJson, config: Record<string, unknown> | null) {
    this.json = json as unknown as Record<string, unknown>;
    this.config = config;
    const normalize = compileNormalizer(json.normalizer, toByteCharacters);
    this.preTokenizer = compilePreTokenizer(json.pre_tokenizer);
    this.encoder = new CachedEncoder(modelEncoder(json, this.preTokenizer.byteLevel, toByteCharacters));
    this.template = templateOf(json.post_processor);
    this.decodeTexts = compileDecoder(json.decoder);
    this.isByteLevel = json.decoder?.type === "ByteLevel";
    const added = assignAddedIds(json);
    this.added = new AddedTokens(added, normalize);
    this.texts = [];
    for (const [text, id] of vocabularyOf(json.model)) this.texts[id] = text;
    for (const token of added) {
      const isNormalized = token.normalized ?? !token.special;
      this.texts[token.id] = isNormalized ? normalize(token.content, "start") : token.content;
      if (token.special) this.special.add(token.id);
    }
    this.vocabSize = this.texts.length;
    const idOf = new Map([...vocabularyOf(json.model), ...added.map(({ content, id }) => [content, id] as const)]);
    this.bosTokenId = namedTokenId("bos_token", idOf, added, config);
    this.eosTokenId = namedTokenId("eos_token", idOf, added, config);
    this.addsBos = this.bosTokenId !== null && this.template.before[0] === this.bosTokenId;
    this.safeCut = safeCut(json, added, normalize);
  }

  get hash(): string {
    this.cachedHash ??= hashJson(this.json);
    return this.cachedHash;
  }

  encode(text: string, { addSpecialTokens = true, continued = false }: EncodeOptions = {}): number[] {
    const ids: number[] = addSpecialTokens ? [...this.template.before] : [];
    // A lone surrogate has no UTF-8: everybody else sees U+FFFD in its place.
    const wellFormed = text.replace(loneSurrogate, "\ufffd");
    const place = continued ? "continued" : "start";
    this.added.split(wellFormed, place).forEach((part, i) => {
      if (typeof part === "number") {
        ids.push(part);
      } else {
        const pieces = this.preTokenizer.split(part, i === 0 ? place : "inner");
        for (const piece of pieces) this.encoder.append(piece, ids);
      }
    });
    if (addSpecialTokens) for (const id of this.template.after) ids.push(id);
    return ids;
  }

  decode(ids: ArrayLike<number>, { skipSpecialTokens = true }: { skipSpecialTokens?: boolean } = {}): string {
    const texts: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      const text = this.texts[ids[i]];
      if (text !== undefined && !(skipSpecialTokens && this.special.has(ids[i]))) texts.push(text);
    }
    const text = this.decodeTexts(texts);
    return this.config?.clean_up_tokenization_spaces === true ? cleanUp(text) : text;
  }

  tokenBytes(id: number): Uint8Array {
    const token = this.texts[id];
    if (token === undefined || this.special.has(id)) return noBytes;
    if (this.isByteLevel) return charactersToBytes(token);
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
    if (byte) return Uint8Array.of(Number.parseInt(byte[1], 16));
    // SentencePiece writes a space as U+2581, WordPiece marks the inside of a word with "##".
    return new TextEncoder().encode(token.replaceAll("\u2581", " ").replace(/^##/, ""));
  }
}
