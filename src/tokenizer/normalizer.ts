/**
 * Normalizers of `tokenizer.json`: text -> text, before it is split. Named and behaving as in Hugging Face's
 * `tokenizers`.
 */
import { combiningMarks, nonspacingMarks } from "./character_classes.ts";
import { compileOniguruma } from "./oniguruma.ts";
import { compileCharsmap } from "./precompiled_charsmap.ts";
import type { Place } from "./tokenizer.ts";
import { type NormalizerJson, TokenizerError } from "./tokenizer_json.ts";

export type Normalize = (text: string, place: Place) => string;

const chinese =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

/** Each character by itself: a final sigma is not looked for. */
export function lowercase(text: string): string {
  return text.includes("\u03a3")
    ? Array.from(text, (character) => character.toLowerCase()).join("")
    : text.toLowerCase();
}

function bertSteps(json: NormalizerJson): Normalize[] {
  const steps: Normalize[] = [];
  if (json.clean_text ?? true) {
    // Control characters and such go, but for those that are white space.
    steps.push((text) =>
      text
        .replace(/(?![\t\n\r\u0890\u0891\u08e2\u{110cd}\u{13430}-\u{1343f}])[\0\ufffd\p{Cc}\p{Cf}\p{Co}]/gu, "")
        .replace(/\p{White_Space}/gu, " "),
    );
  }
  if (json.handle_chinese_chars ?? true) steps.push((text) => text.replace(chinese, " $& "));
  const lower = json.lowercase ?? true;
  if (json.strip_accents ?? lower) steps.push((text) => text.normalize("NFD").replace(nonspacingMarks, ""));
  if (lower) steps.push(lowercase);
  return steps;
}

/** Which control characters SentencePiece's rules keep, and which characters they take for a space. */
const nmtKept = /[\0\t\n\f\r\u0080-\u008e\u0090-\u009e]/;
const nmtSpaces = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/gu;

function compileSteps(json: NormalizerJson, toBytes: (text: string) => string): Normalize[] {
  switch (json.type) {
    case "Sequence":
      return (json.normalizers ?? []).flatMap((entry) => compileSteps(entry, toBytes));
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD": {
      const form = json.type;
      return [(text) => text.normalize(form)];
    }
    case "Lowercase":
      return [lowercase];
    case "StripAccents":
      return [(text) => text.replace(combiningMarks, "")];
    case "Strip": {
      const steps: Normalize[] = [];
      if (json.strip_left ?? true) {
        steps.push((text, place) => (place === "continued" ? text : text.replace(/^\p{White_Space}+/u, "")));
      }
      if (json.strip_right ?? true) steps.push((text) => trimEnd(text));
      return steps;
    }
    case "Nmt":
      return [
        (text) =>
          text.replace(/\p{Cc}/gu, (character) => (nmtKept.test(character) ? character : "")).replace(nmtSpaces, " "),
      ];
    case "Prepend": {
      const prefix = json.prepend ?? "";
      return [(text, place) => (place === "continued" || text === "" ? text : prefix + text)];
    }
    case "Replace": {
      const { pattern, content = "" } = json;
      if (pattern?.String !== undefined) {
        const literal = pattern.String;
        return literal === "" ? [] : [(text) => text.replaceAll(literal, () => content)];
      }
      const expression = compileOniguruma(pattern?.Regex ?? "");
      return [(text) => text.replace(expression, () => content)];
    }
    case "Precompiled":
      return json.precompiled_charsmap ? [compileCharsmap(json.precompiled_charsmap)] : [];
    case "ByteLevel":
      return [toBytes];
    case "BertNormalizer":
      return bertSteps(json);
    default:
      throw new TokenizerError(`the tokenizer has a normalizer ${json.type}, which is not known`);
  }
}

const whiteSpace = /\p{White_Space}/u;

/** An expression that ends in `$` would take quadratic time on long runs of spaces. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && whiteSpace.test(text[end - 1])) end--;
  return text.slice(0, end);
}

/**
 * @param toBytes writes text as characters that stand for its UTF-8 bytes.
 * @throws {TokenizerError} if a part of it is not known.
 */
export function compileNormalizer(
  json: NormalizerJson | null | undefined,
  toBytes: (text: string) => string,
): Normalize {
  const steps = json ? compileSteps(json, toBytes) : [];
  return (text, place) => steps.reduce((done, step) => step(done, place), text);
}
