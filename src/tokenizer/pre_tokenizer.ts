/**
 * Pre-tokenizers of `tokenizer.json`: text -> pieces, each of which the model encodes by itself. Named and behaving as
 * in Hugging Face's `tokenizers`.
 */
import { bytesToCharacters } from "./byte_alphabet.ts";
import { punctuation } from "./character_classes.ts";
import { compileLiteral, compileOniguruma } from "./oniguruma.ts";
import { splitByScript } from "./script_split.ts";
import { splitBehavior, splitText } from "./split_behavior.ts";
import { compileSplitPattern, gpt2Pattern, splitIsolated } from "./split_pattern.ts";
import type { Place } from "./tokenizer.ts";
import { type PatternJson, type PreTokenizerJson, TokenizerError } from "./tokenizer_json.ts";

export interface PreTokenizer {
  split(text: string, place: Place): string[];
  /** True if the model has to see a piece as the characters that stand for its UTF-8 bytes. */
  readonly byteLevel: boolean;
}

/** One step over a piece made so far. */
type Step = (piece: string, place: Place) => string[] | { text: string; start: number }[];

const encoder = new TextEncoder();

/** Text as the characters that stand for its UTF-8 bytes. */
export function toByteCharacters(text: string): string {
  return bytesToCharacters(encoder.encode(text));
}

const whiteSpace = /\p{White_Space}/gu;
const words =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

function compilePattern(pattern: PatternJson | undefined): RegExp {
  if (pattern?.String !== undefined) return compileLiteral(pattern.String);
  const source = pattern?.Regex ?? "";
  return compileSplitPattern(source) ?? compileOniguruma(source);
}

function metaspaceStep(json: PreTokenizerJson): Step {
  const replacement = json.replacement ?? "\u2581";
  const scheme = json.prepend_scheme ?? ((json.add_prefix_space ?? true) ? "always" : "never");
  const split = json.split ?? true;
  return (piece, place) => {
    const replaced = piece.replaceAll(" ", replacement);
    const prepends = scheme === "always" ? place !== "continued" : scheme === "first" && place === "start";
    const text = prepends && !replaced.startsWith(replacement) ? replacement + replaced : replaced;
    if (!split) return [text];
    const pieces: string[] = [];
    for (let start = 0; start < text.length; ) {
      const next = text.indexOf(replacement, start + 1);
      const end = next < 0 ? text.length : next;
      pieces.push(text.slice(start, end));
      start = end;
    }
    return pieces;
  };
}

function fixedLengthStep(length: number): Step {
  return (piece) => {
    const characters = Array.from(piece);
    return Array.from({ length: Math.ceil(characters.length / length) }, (_, i) =>
      characters.slice(i * length, (i + 1) * length).join(""),
    );
  };
}

/** Steps of one `pre_tokenizer` entry. `last`: no step comes after them. */
function compileSteps(json: PreTokenizerJson, last: boolean): Step[] {
  switch (json.type) {
    case "Sequence": {
      const entries = json.pretokenizers ?? [];
      return entries.flatMap((entry, i) => compileSteps(entry, last && i === entries.length - 1));
    }
    case "Split": {
      const expression = compilePattern(json.pattern);
      const behavior = splitBehavior(json.behavior ?? "");
      const invert = json.invert ?? false;
      if (behavior === "Isolated" && !invert) return [(piece) => splitIsolated(piece, expression)];
      return [(piece) => splitText(piece, expression, behavior, invert)];
    }
    case "Digits": {
      const expression = json.individual_digits ? /\p{N}/gu : /\p{N}+/gu;
      return [(piece) => splitIsolated(piece, expression)];
    }
    case "ByteLevel": {
      const steps: Step[] = [];
      if (json.add_prefix_space ?? true) {
        steps.push((piece, place) => [place === "continued" || piece.startsWith(" ") ? piece : ` ${piece}`]);
      }
      if (json.use_regex ?? true) {
        const expression = compilePattern({ Regex: gpt2Pattern });
        steps.push((piece) => splitIsolated(piece, expression));
      }
      // At the end the model takes the bytes of a piece itself, which is faster.
      if (!last) steps.push((piece) => [toByteCharacters(piece)]);
      return steps;
    }
    case "Metaspace":
      return [metaspaceStep(json)];
    case "Whitespace":
      return [(piece) => splitText(piece, words, "Removed", true)];
    case "WhitespaceSplit":
      return [(piece) => splitText(piece, whiteSpace, "Removed")];
    case "BertPreTokenizer":
      return [(piece) => splitText(piece, whiteSpace, "Removed"), (piece) => splitText(piece, punctuation, "Isolated")];
    case "Punctuation": {
      const behavior = splitBehavior(json.behavior ?? "Isolated");
      return [(piece) => splitText(piece, punctuation, behavior)];
    }
    case "CharDelimiterSplit": {
      const expression = compileLiteral(json.delimiter ?? "");
      return [(piece) => splitText(piece, expression, "Removed")];
    }
    case "FixedLength":
      return [fixedLengthStep(json.length ?? 5)];
    case "UnicodeScripts":
      return [splitByScript];
    default:
      throw new TokenizerError(`the tokenizer has a pre_tokenizer ${json.type}, which is not known`);
  }
}

/** True if the last entry, through nested sequences, is `ByteLevel`. */
function endsInByteLevel(json: PreTokenizerJson): boolean {
  if (json.type !== "Sequence") return json.type === "ByteLevel";
  const end = json.pretokenizers?.at(-1);
  return end !== undefined && endsInByteLevel(end);
}

interface Piece {
  text: string;
  place: Place;
}

/** Only the piece at the very beginning of what is split keeps its place. */
function apply(step: Step, { text, place }: Piece): Piece[] {
  return step(text, place).map((piece, i) =>
    typeof piece === "string"
      ? { text: piece, place: i === 0 ? place : "inner" }
      : { text: piece.text, place: piece.start === 0 ? place : "inner" },
  );
}

/** @throws {TokenizerError} if a part of it is not known. */
export function compilePreTokenizer(json: PreTokenizerJson | null | undefined): PreTokenizer {
  if (!json) return { split: (text) => (text === "" ? [] : [text]), byteLevel: false };
  const steps = compileSteps(json, true);
  const byteLevel = endsInByteLevel(json);
  const textOf = (piece: string | { text: string }): string => (typeof piece === "string" ? piece : piece.text);
  return {
    byteLevel,
    split: (text, place) => {
      if (text === "") return [];
      if (steps.length === 1) return (steps[0](text, place) as (string | { text: string })[]).map(textOf);
      let pieces: Piece[] = [{ text, place }];
      for (const step of steps) {
        const first = pieces[0];
        pieces = pieces.length === 1 ? apply(step, first) : pieces.flatMap((piece) => apply(step, piece));
      }
      return pieces.map((piece) => piece.text);
    },
  };
}
