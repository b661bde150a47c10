/** What each normalizer and pre-tokenizer does at the places where {@link safeCut} may cut. */
import { compileOniguruma } from "./oniguruma.ts";
import { toByteCharacters } from "./pre_tokenizer.ts";
import { isKnownPattern } from "./split_patterns.ts";
import type { NormalizerJson, PreTokenizerJson, TokenizerJson } from "./tokenizer_json.ts";

/** What stands at the place, between two letters: a space, a line break or tab, a punctuation mark. */
export type PlaceKind = "space" | "break" | "mark";
/** Marks that no pattern ties to the letters before them, as it does the apostrophe. */
export const marks = ",;:!?()\u2026\u2014\u3001\u3002\uff0c\uff1b\uff1a\uff01\uff1f\uff08\uff09";
const kinds: readonly PlaceKind[] = ["space", "break", "mark"];

/** `begins`: a piece always begins there. `keeps`: neither side is changed by the other. `looks`: unknown. */
type Effect = "begins" | "keeps" | "looks";
type Effects = Record<PlaceKind, Effect>;

const all = (effect: Effect): Effects => ({ space: effect, break: effect, mark: effect });

function flatten<T extends { type: string }>(json: T | null | undefined, inner: (json: T) => T[] | undefined): T[] {
  if (!json) return [];
  return json.type === "Sequence" ? (inner(json) ?? []).flatMap((entry) => flatten(entry, inner)) : [json];
}

/** Normalizers that treat each character (with the marks that belong to it) by itself, or only the very beginning. */
const localNormalizers = new Set([
  "NFC",
  "NFD",
  "NFKC",
  "NFKD",
  "Lowercase",
  "StripAccents",
  "Strip",
  "Nmt",
  "BertNormalizer",
  "Precompiled",
  "Prepend",
]);

function isLocal({ type, pattern }: NormalizerJson): boolean {
  if (type !== "Replace") return localNormalizers.has(type);
  // A text that never lies across such a place.
  if (pattern?.String !== undefined) return !/\p{L}[\s\p{P}]/u.test(pattern.String);
  return /^(?:\\s|\\n|\\r|\\t| |\[[\\srnt ]+\])(?:\+|\{\d+,?\d*\})?$/.test(pattern?.Regex ?? "");
}

function splitEffects({ pattern, behavior, invert }: PreTokenizerJson): Effects {
  if (pattern?.String !== undefined) {
    const merges = behavior === "MergedWithPrevious" || behavior === "Contiguous";
    return all(pattern.String.length === 1 && !invert && !merges ? "keeps" : "looks");
  }
  const source = pattern?.Regex ?? "";
  const cutsAtMatches =
    (behavior === "Isolated" && !invert) || ((behavior === "Removed" || behavior === "Isolated") && invert);
  if (!cutsAtMatches) return all("looks");
  if (isKnownPattern(source)) return all("begins");
  if (!onlyClasses.test(source)) return all("looks");
  // A run of such characters ends at what is none of them.
  const classes = source.match(oneClass)!.map((text) => compileOniguruma(text));
  const effect = (characters: string): Effect =>
    classes.every((expression) => characters.search(expression) < 0) ? "keeps" : "looks";
  return { space: effect(" "), break: effect("\n\t"), mark: effect(marks) };
}

/** A class of characters, and patterns of nothing but classes. */
const oneClass = /\\[pP]\{\^?\w+\}|\\d|\[[^\]\\[]+\]/g;
const onlyClasses = /^(?:(?:\\[pP]\{\^?\w+\}|\\d|\[[^\]\\[]+\])(?:\{\d+(?:,\d+)?\}|\+)?)+$/;

function effectsOf(json: PreTokenizerJson): Effects {
  switch (json.type) {
    case "ByteLevel":
      return all((json.use_regex ?? true) ? "begins" : "keeps");
    case "Split":
      return splitEffects(json);
    case "Digits":
      return all("keeps");
    case "Whitespace":
    case "BertPreTokenizer":
      return all("begins");
    case "WhitespaceSplit":
      return { space: "begins", break: "begins", mark: "keeps" };
    case "Punctuation": {
      const begins = json.behavior === undefined || json.behavior === "Isolated" || json.behavior === "Contiguous";
      return { space: "keeps", break: "keeps", mark: begins ? "begins" : "looks" };
    }
    case "Metaspace":
      return { space: (json.split ?? true) ? "begins" : "keeps", break: "keeps", mark: "keeps" };
    case "CharDelimiterSplit":
      return { ...all("keeps"), ...(json.delimiter === " " && { space: "begins" as const }) };
    default:
      return all("looks");
  }
}

/** True if a step puts something in front of a piece. */
function putsInFront({ type, add_prefix_space, prepend_scheme }: PreTokenizerJson): boolean {
  if (type === "Metaspace") return prepend_scheme !== "never";
  return type === "ByteLevel" && (add_prefix_space ?? true);
}

/** Steps that take white space away: what comes after it is a new piece for whatever follows. */
const removing = new Set(["Whitespace", "WhitespaceSplit", "BertPreTokenizer", "CharDelimiterSplit"]);

/** True if pieces made by one step begin with what a later one puts there, which a part would not know. */
function putsInFrontOfPieces(
  steps: readonly PreTokenizerJson[],
  effects: readonly Effects[],
  kind: PlaceKind,
): boolean {
  const begun = effects.findIndex((effect) => effect[kind] === "begins");
  if (begun < 0 || kind === "space") return false;
  if (kind === "break" && removing.has(steps[begun].type)) return false;
  return steps.slice(begun + 1).some(putsInFront);
}

/** True if the normalizer only puts a mark in front, and writes spaces as U+2581. */
function onlyMarksSpaces(steps: readonly NormalizerJson[]): boolean {
  return steps.every(
    ({ type, pattern, content, prepend }) =>
      (type === "Prepend" && prepend === "\u2581") ||
      (type === "Replace" && pattern?.String === " " && content === "\u2581"),
  );
}

/** What the model sees of a character, if it sees each by itself; otherwise null. */
function seenCharacter(
  normalizers: readonly NormalizerJson[],
  steps: readonly PreTokenizerJson[],
): ((character: string) => string) | null {
  if (!onlyMarksSpaces(normalizers)) return null;
  if (normalizers.length === 0 && steps.length === 1 && steps[0].type === "ByteLevel") {
    return steps[0].use_regex === false ? toByteCharacters : null;
  }
  const marks = normalizers.some(({ type }) => type === "Replace");
  // Once spaces are written as U+2581, a split at spaces does nothing.
  const keeps = steps.every((step) => step.type === "Metaspace" || (marks && step.pattern?.String === " "));
  if (!keeps) return null;
  return marks || steps.length > 0
    ? (character) => (character === " " ? "\u2581" : character)
    : (character) => character;
}

/** Kinds of places that are safe, and what the model sees of a character if no step looks around. */
export function cutRules(json: TokenizerJson): {
  kinds: ReadonlySet<PlaceKind>;
  seen: ((character: string) => string) | null;
} {
  const normalizers = flatten(json.normalizer, (entry) => entry.normalizers);
  const steps = flatten(json.pre_tokenizer, (entry) => entry.pretokenizers);
  const safe = new Set<PlaceKind>();
  if (normalizers.every(isLocal)) {
    const effects = steps.map(effectsOf);
    for (const kind of kinds) {
      const each = effects.map((effect) => effect[kind]);
      if (each.includes("looks") || !each.includes("begins") || putsInFrontOfPieces(steps, effects, kind)) continue;
      safe.add(kind);
    }
  }
  return { kinds: safe, seen: seenCharacter(normalizers, steps) };
}
