/** Decoders of `tokenizer.json`: token texts -> text. Named and behaving as in Hugging Face's `tokenizers`. */
import { charactersToBytes } from "./byte_alphabet.ts";
import { compileOniguruma } from "./oniguruma.ts";
import { type DecoderJson, TokenizerError } from "./tokenizer_json.ts";

/** Token texts in, parts of the text out. */
type Step = (tokens: readonly string[]) => string[];

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text; one U+FFFD for each byte if they are not valid UTF-8. */
function bytesToParts(bytes: readonly number[]): string[] {
  try {
    return [strictUtf8.decode(Uint8Array.from(bytes))];
  } catch {
    return bytes.map(() => "\ufffd");
  }
}

function byteFallback(tokens: readonly string[]): string[] {
  const parts: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length > 0) for (const part of bytesToParts(bytes)) parts.push(part);
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
    if (byte) {
      bytes.push(Number.parseInt(byte[1], 16));
    } else {
      flush();
      parts.push(token);
    }
  }
  flush();
  return parts;
}

/** Spaces that English text does not have, as WordPiece's decoder drops them. */
export function cleanUp(text: string): string {
  return text
    .replaceAll(" .", ".")
    .replaceAll(" ?", "?")
    .replaceAll(" !", "!")
    .replaceAll(" ,", ",")
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(" do not", " don't")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
}

function strip(token: string, { content = " ", start = 0, stop = 0 }: DecoderJson): string {
  const characters = Array.from(token);
  let from = 0;
  while (from < start && from < characters.length && characters[from] === content) from++;
  let to = characters.length;
  while (characters.length - to < stop && to > from && characters[to - 1] === content) to--;
  return characters.slice(from, to).join("");
}

function compileSteps(json: DecoderJson): Step[] {
  switch (json.type) {
    case "Sequence":
      return (json.decoders ?? []).flatMap(compileSteps);
    case "ByteLevel":
      return [(tokens) => [Buffer.concat(tokens.map(charactersToBytes)).toString("utf8")]];
    case "ByteFallback":
      return [byteFallback];
    case "Fuse":
      return [(tokens) => [tokens.join("")]];
    case "Strip":
      return [(tokens) => tokens.map((token) => strip(token, json))];
    case "Replace": {
      const { pattern, content = "" } = json;
      const expression = pattern?.String === undefined ? compileOniguruma(pattern?.Regex ?? "") : null;
      const replace = (token: string): string =>
        expression ? token.replace(expression, () => content) : token.replaceAll(pattern!.String!, () => content);
      return [(tokens) => tokens.map(replace)];
    }
    case "Metaspace": {
      const replacement = json.replacement ?? "\u2581";
      const scheme = json.prepend_scheme ?? ((json.add_prefix_space ?? true) ? "always" : "never");
      const first = scheme === "never" ? " " : "";
      return [(tokens) => tokens.map((token, i) => token.replaceAll(replacement, i === 0 ? first : " "))];
    }
    case "WordPiece": {
      const { prefix = "##", cleanup = true } = json;
      const join = (token: string, i: number): string => {
        if (i === 0) return token;
        return token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
      };
      return [(tokens) => tokens.map((token, i) => (cleanup ? cleanUp(join(token, i)) : join(token, i)))];
    }
    case "BPEDecoder": {
      const suffix = json.suffix ?? "</w>";
      return [(tokens) => tokens.map((token, i) => token.replaceAll(suffix, i === tokens.length - 1 ? "" : " "))];
    }
    case "CTC":
      return [(tokens) => ctc(tokens, json)];
    default:
      throw new TokenizerError(`the tokenizer has a decoder ${json.type}, which is not known`);
  }
}

function ctc(tokens: readonly string[], json: DecoderJson): string[] {
  const { pad_token: pad = "<pad>", word_delimiter_token: delimiter = "|", cleanup = true } = json;
  const texts = tokens
    .filter((token, i) => token !== tokens[i - 1])
    .map((token) => token.replaceAll(pad, ""))
    .map((token) => (cleanup ? cleanUp(token).replaceAll(delimiter, " ") : token));
  return texts.filter((text) => text !== "");
}

/** @throws {TokenizerError} if a part of it is not known. */
export function compileDecoder(json: DecoderJson | null | undefined): (tokens: readonly string[]) => string {
  if (!json) return (tokens) => tokens.join(" ");
  const steps = compileSteps(json);
  return (tokens) => {
    // At least one decoder of the original cannot do with nothing.
    if (tokens.length === 0) return "";
    let parts: readonly string[] = tokens;
    for (const step of steps) parts = step(parts);
    return parts.join("");
  };
}
