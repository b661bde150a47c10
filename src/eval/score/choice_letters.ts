/** The letter that a generated answer to a multiple-choice question means (`multi_choice_regex` of `filters/extraction.py`). */
import { DocumentError, type JsonObject } from "../../data/document.ts";
import { type PythonRegex, pythonRegex, selectedMatch } from "../../python/regex.ts";
import { strip } from "../../python/whitespace.ts";

export interface MultiChoiceRegexSettings {
  regex_pattern: string;
  /** Which match is meant; negative: from the end. */
  group_select?: number;
  /** Where nothing is found. */
  fallback: string;
  /** What is ignored where the text of a choice is looked for. */
  ignore_case?: boolean;
  ignore_punctuation?: boolean;
  regexes_to_ignore?: readonly string[];
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/**
 * What the pattern finds; else the letter, as `(B)`, of the choice whose text is there; else the letter after a colon.
 * The choices are the document's field `choices`.
 * @throws {RegexError} if a pattern cannot be used.
 */
export function multiChoiceRegex(settings: MultiChoiceRegexSettings): (text: string, document: JsonObject) => string {
  const { group_select: select = 0, fallback } = settings;
  const pattern = pythonRegex(settings.regex_pattern);
  const ignored = (settings.regexes_to_ignore ?? []).map((source) => pythonRegex(source));
  const simplify = (text: string) => {
    let rest = ignored.reduce((kept, part) => part.remove(kept), text);
    if (settings.ignore_case) rest = rest.toLowerCase();
    return settings.ignore_punctuation ? rest.replace(/\p{P}/gu, "") : rest;
  };
  const find = (text: string, regex: PythonRegex, meanings: ReadonlyMap<string, string> = new Map()) => {
    const match = strip(selectedMatch(text, regex, select) ?? "");
    return meanings.get(match) ?? match;
  };
  return (text, document) => {
    const { choices } = document;
    if (!Array.isArray(choices) || choices.some((choice) => typeof choice !== "string")) {
      throw new DocumentError('multi_choice_regex: field "choices" must be a list of texts');
    }
    const letters = choices.map((_, i) => String.fromCodePoint(65 + i));
    const byText = new Map(choices.map((choice, i) => [simplify(strip(choice)), `(${letters[i]})`]));
    const byLetter = new Map(letters.map((letter) => [letter, `(${letter})`]));
    // Longest first: a choice may begin with the text of another.
    const texts = [...byText.keys()].sort((a, b) => [...b].length - [...a].length).map(escaped);
    return (
      find(text, pattern) ||
      find(simplify(text), pythonRegex(texts.join("|")), byText) ||
      find(text, pythonRegex(`:\\s*(${letters.map(escaped).join("|")})`), byLetter) ||
      fallback
    );
  };
}
