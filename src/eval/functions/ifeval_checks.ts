/**
 * IFEval's instruction checks (Zhou et al., 2023) as lm-evaluation-harness runs them (`tasks/ifeval/instructions.py`).
 *
 * Not here, because they need a trained model: `language:response_language`, `change_case:english_capital` and
 * `change_case:english_lowercase` (language detector), `length_constraints:number_sentences` and
 * `change_case:capital_word_frequency` (NLTK's sentence splitter).
 */

import { type PythonRegex, pythonRegex } from "../../python/regex.ts";
import { splitWords, strip } from "../../python/whitespace.ts";

/** Arguments of one instruction, those without a value removed. */
export type CheckArguments = Readonly<Record<string, unknown>>;

interface Check {
  /** Arguments that must be there: lm-evaluation-harness would draw a missing one at random. */
  needs: readonly string[];
  isFollowed(response: string, args: CheckArguments): boolean;
}

const countMatches = (text: string, pattern: PythonRegex) => [...pattern.matches(text)].length;

/** Parts of `text` between matches of `pattern`. */
function splitAt(text: string, pattern: PythonRegex): string[] {
  const parts: string[] = [];
  let begin = 0;
  for (const { index, end } of pattern.matches(text)) {
    parts.push(text.slice(begin, index));
    begin = end;
  }
  return [...parts, text.slice(begin)];
}

function compare(count: number, relation: unknown, threshold: unknown): boolean {
  return relation === "less than" ? count < Number(threshold) : count >= Number(threshold);
}

/** `text.strip(characters)`. */
function stripOf(text: string, characters: string): string {
  const set = characters.replace(/[\]\\^-]/g, "\\$&");
  return text.replace(new RegExp(`^[${set}]+|[${set}]+$`, "g"), "");
}

const bullets = [
  pythonRegex("^\\s*\\*[^\\*].*$", { multiline: true }),
  pythonRegex("^\\s*-.*$", { multiline: true }),
] as const;
const paragraphDivider = pythonRegex("\\s?\\*\\*\\*\\s?");
const postscripts: Record<string, PythonRegex> = {
  "P.P.S": pythonRegex("\\s*p\\.\\s?p\\.\\s?s.*$", { multiline: true }),
  "P.S.": pythonRegex("\\s*p\\.\\s?s\\..*$", { multiline: true }),
};
const words = pythonRegex("\\w+");
const placeholder = pythonRegex("\\[.*?\\]");
const constrainedResponses = ["My answer is yes.", "My answer is no.", "My answer is maybe."];

function hasParagraphs(response: string, count: unknown): boolean {
  const paragraphs = splitAt(response, paragraphDivider);
  const empty = paragraphs.map((paragraph) => strip(paragraph) === "");
  if (empty.slice(1, -1).includes(true)) return false;
  const ends = new Set([0, paragraphs.length - 1]);
  return paragraphs.length - [...ends].filter((index) => empty[index]).length === count;
}

function startsParagraphWith(response: string, { num_paragraphs, nth_paragraph, first_word }: CheckArguments): boolean {
  const paragraphs = response.split("\n\n");
  const count = paragraphs.filter((paragraph) => strip(paragraph) !== "").length;
  if (Number(nth_paragraph) > count) return false;
  const paragraph = strip(paragraphs[Number(nth_paragraph) - 1]);
  if (paragraph === "") return false;
  const word = splitWords(paragraph)[0].replace(/^'+/, "").replace(/^"+/, "");
  const [start] = word.split(/[.,?!'"]/);
  return count === num_paragraphs && start.toLowerCase() === String(first_word).toLowerCase();
}

function highlights(response: string): number {
  const single = response.match(/\*[^\n*]*\*/g) ?? [];
  const double = response.match(/\*\*[^\n*]*\*\*/g) ?? [];
  return (
    single.filter((text) => strip(stripOf(text, "*")) !== "").length +
    double.filter((text) => strip(text.slice(2, -2)) !== "").length
  );
}

function isJson(response: string): boolean {
  const fence = /^```(?:json|Json|JSON)?|```$/g;
  const text = strip(strip(response).replace(fence, ""));
  // Python reads NaN and Infinity too.
  const standard = text.replace(/"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)\b/gs, (part) => (part[0] === '"' ? part : "0"));
  try {
    JSON.parse(standard);
    return true;
  } catch {
    return false;
  }
}

function isTwoResponses(response: string): boolean {
  const parts = response.split("******").map(strip);
  if (parts.slice(1, -1).includes("")) return false;
  const filled = parts.filter((part) => part !== "");
  return filled.length === 2 && filled[0] !== filled[1];
}

function hasTitle(response: string): boolean {
  const titles = response.match(/<<[^\n]+>>/g) ?? [];
  return titles.some((title) => strip(title.replace(/^<+/, "").replace(/>+$/, "")) !== "");
}

function hasPostscript(response: string, marker: string): boolean {
  const pattern = postscripts[marker] ?? pythonRegex(`\\s*${marker.toLowerCase()}.*$`, { multiline: true });
  return countMatches(response.toLowerCase(), pattern) > 0;
}

const ignoreCase = { ignoreCase: true };

export const instructionChecks: Readonly<Record<string, Check>> = {
  "keywords:existence": {
    needs: ["keywords"],
    isFollowed: (response, { keywords }) =>
      (keywords as string[]).every((keyword) => countMatches(response, pythonRegex(keyword, ignoreCase)) > 0),
  },
  "keywords:frequency": {
    needs: ["keyword", "frequency", "relation"],
    isFollowed: (response, { keyword, frequency, relation }) =>
      compare(countMatches(response, pythonRegex(strip(String(keyword)), ignoreCase)), relation, frequency),
  },
  "keywords:forbidden_words": {
    needs: ["forbidden_words"],
    isFollowed: (response, { forbidden_words }) =>
      (forbidden_words as string[]).every(
        (word) => countMatches(response, pythonRegex(`\\b${word}\\b`, ignoreCase)) === 0,
      ),
  },
  "keywords:letter_frequency": {
    needs: ["letter", "let_frequency", "let_relation"],
    isFollowed: (response, { letter, let_frequency, let_relation }) =>
      compare(response.toLowerCase().split(String(letter).toLowerCase()).length - 1, let_relation, let_frequency),
  },
  "length_constraints:number_paragraphs": {
    needs: ["num_paragraphs"],
    isFollowed: (response, { num_paragraphs }) => hasParagraphs(response, num_paragraphs),
  },
  "length_constraints:number_words": {
    needs: ["num_words", "relation"],
    isFollowed: (response, { num_words, relation }) => compare(countMatches(response, words), relation, num_words),
  },
  "length_constraints:nth_paragraph_first_word": {
    needs: ["num_paragraphs", "nth_paragraph", "first_word"],
    isFollowed: startsParagraphWith,
  },
  "detectable_content:number_placeholders": {
    needs: ["num_placeholders"],
    isFollowed: (response, { num_placeholders }) => countMatches(response, placeholder) >= Number(num_placeholders),
  },
  "detectable_content:postscript": {
    needs: ["postscript_marker"],
    isFollowed: (response, { postscript_marker }) => hasPostscript(response, strip(String(postscript_marker))),
  },
  "detectable_format:number_bullet_lists": {
    needs: ["num_bullets"],
    isFollowed: (response, { num_bullets }) =>
      bullets.reduce((sum, pattern) => sum + countMatches(response, pattern), 0) === num_bullets,
  },
  "detectable_format:constrained_response": {
    needs: [],
    isFollowed: (response) => constrainedResponses.some((answer) => strip(response).includes(answer)),
  },
  "detectable_format:number_highlighted_sections": {
    needs: ["num_highlights"],
    isFollowed: (response, { num_highlights }) => highlights(response) >= Number(num_highlights),
  },
  "detectable_format:multiple_sections": {
    needs: ["section_spliter", "num_sections"],
    isFollowed: (response, { section_spliter, num_sections }) =>
      countMatches(response, pythonRegex(`\\s?${strip(String(section_spliter))}\\s?\\d+\\s?`)) >= Number(num_sections),
  },
  "detectable_format:json_format": { needs: [], isFollowed: isJson },
  "detectable_format:title": { needs: [], isFollowed: hasTitle },
  "combination:two_responses": { needs: [], isFollowed: isTwoResponses },
  "combination:repeat_prompt": {
    needs: ["prompt_to_repeat"],
    isFollowed: (response, { prompt_to_repeat }) =>
      strip(response)
        .toLowerCase()
        .startsWith(strip(String(prompt_to_repeat)).toLowerCase()),
  },
  "startend:end_checker": {
    needs: ["end_phrase"],
    isFollowed: (response, { end_phrase }) =>
      stripOf(strip(response), '"')
        .toLowerCase()
        .endsWith(strip(String(end_phrase)).toLowerCase()),
  },
  "startend:quotation": {
    needs: [],
    isFollowed: (response) => /^"[\s\S]*"$/.test(strip(response)) && strip(response).length > 1,
  },
  "punctuation:no_comma": { needs: [], isFollowed: (response) => !response.includes(",") },
};
