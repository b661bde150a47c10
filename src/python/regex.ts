/**
 * Python regular expressions (`re`, on `str`) as JavaScript ones: task files write theirs in Python's syntax.
 *
 * Differences that are translated: leading flags `(?ims)`, named groups `(?P<x>)`, `\A`, `\Z`, `$` (also before a line
 * break at the end), `.` (all but \n), and `\w \d \s \b`, which know Unicode in Python. Matching goes by code points.
 */
import { UserError } from "../errors/user_error.ts";
import { whitespaceClass } from "./whitespace.ts";

/** The pattern has no JavaScript form; the message names it. */
export class RegexError extends UserError {
  override name = "RegexError";
}

const word = "\\p{L}\\p{N}_";
const atWordBoundary = `(?:(?<=[${word}])(?![${word}])|(?<![${word}])(?=[${word}]))`;
const insideWord = `(?:(?<=[${word}])(?=[${word}])|(?<![${word}])(?![${word}]))`;
/** Escapes as they stand in a character class; upper case is the complement. */
const classes: Record<string, string> = { w: word, d: "\\p{Nd}", s: whitespaceClass };
const assertions: Record<string, string> = { A: "(?<![\\s\\S])", Z: "(?![\\s\\S])", b: atWordBoundary, B: insideWord };
const endOfText = "(?=\\n?(?![\\s\\S]))";

export interface PythonFlags {
  ignoreCase?: boolean;
  multiline?: boolean;
  dotAll?: boolean;
}

/**
 * JavaScript regular expression that matches what `re.compile(pattern, flags)` matches; global.
 * @throws {RegexError}
 */
export function pythonRegex(pattern: string, flags: PythonFlags = {}): RegExp {
  const inline = /^\(\?([aimsux]+)\)/.exec(pattern);
  const letters = inline?.[1] ?? "";
  if (/[aux]/.test(letters))
    throw new RegexError(`regular expression ${pattern}: the flags (?${letters}) are not known`);
  const settings = {
    ignoreCase: flags.ignoreCase || letters.includes("i"),
    multiline: flags.multiline || letters.includes("m"),
    dotAll: flags.dotAll || letters.includes("s"),
  };
  try {
    const source = translate(pattern.slice(inline?.[0].length ?? 0), settings);
    return new RegExp(source, `gu${settings.ignoreCase ? "i" : ""}${settings.multiline ? "m" : ""}`);
  } catch (error) {
    if (error instanceof RegexError) throw error;
    throw new RegexError(`regular expression ${pattern}: ${(error as Error).message}`);
  }
}

function translate(pattern: string, { multiline, dotAll }: PythonFlags): string {
  let source = "";
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i];
    if (character === "\\") {
      source += escapeSequence(pattern, ++i, inClass);
      // The digits of \x12, \u1234 follow as they are.
    } else if (inClass) {
      // A bracket that opens nothing: JavaScript wants it escaped.
      source += character === "[" ? "\\[" : character;
      inClass = character !== "]";
    } else if (character === "[") {
      inClass = true;
      source += "[";
      if (pattern[i + 1] === "^") source += pattern[++i];
      // A bracket right after the opening one is an ordinary character.
      if (pattern[i + 1] === "]") source += `\\${pattern[++i]}`;
    } else if (pattern.startsWith("(?P<", i)) {
      source += "(?<";
      i += 3;
    } else if (pattern.startsWith("(?P=", i)) {
      const end = pattern.indexOf(")", i);
      source += `\\k<${pattern.slice(i + 4, end)}>`;
      i = end;
    } else if (character === ".") source += dotAll ? "[\\s\\S]" : "[^\\n]";
    else if (character === "$") source += multiline ? "(?=\\n|(?![\\s\\S]))" : endOfText;
    else if (character === "^" && multiline) source += "(?<=\\n|(?<![\\s\\S]))";
    // Braces that are no repetition are ordinary characters in Python.
    else if (character === "{" && !/^\{\d*,?\d*\}/.test(pattern.slice(i))) source += "\\{";
    else if (character === "{" && pattern[i + 1] === ",") source += "{0";
    else if (character === "}" && !/\{\d*,?\d*$/.test(pattern.slice(0, i))) source += "\\}";
    else source += character;
  }
  return source;
}

function escapeSequence(pattern: string, at: number, inClass: boolean): string {
  const letter = pattern[at] ?? "";
  const lower = letter.toLowerCase();
  if (Object.hasOwn(classes, lower)) {
    const set = classes[lower];
    if (letter === lower) return inClass ? set : `[${set}]`;
    if (!inClass) return `[^${set}]`;
    // Inside a class only complements with an escape of their own can stand.
    if (lower === "d") return "\\P{Nd}";
    throw new RegexError(`regular expression ${pattern}: \\${letter} inside [...] is not supported`);
  }
  if (!inClass && Object.hasOwn(assertions, letter)) return assertions[letter];
  if (/[0-9a-zA-Z]/.test(letter) || /[\\^$.*+?()[\]{}|/]/.test(letter)) return `\\${letter}`;
  if (letter === "-") return inClass ? "\\-" : "-";
  return letter;
}

/**
 * `re.findall(pattern, text)[select]` as one text: the whole match, or of several groups the first that is not empty.
 * @param pattern global
 * @param select negative: from the end
 * @returns undefined if there is no such match, or its groups are all empty
 */
export function selectedMatch(text: string, pattern: RegExp, select: number): string | undefined {
  const match = [...text.matchAll(pattern)].at(select);
  if (match === undefined || match.length <= 2) return match && (match.length === 1 ? match[0] : (match[1] ?? ""));
  return match.slice(1).find((group) => group !== undefined && group !== "");
}
