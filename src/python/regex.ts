/**
 * Python's regular expressions (`re`, on `str`): task files write theirs in that syntax, and JavaScript's differ in flags,
 * groups, repeats, cases of letters and what a group holds afterwards. Run by an engine of our own (regex/).
 */
import { UserError } from "../errors/user_error.ts";
import { Matcher } from "./regex/matcher.ts";
import { type Pattern, PatternError, parsePattern } from "./regex/parser.ts";

/** The pattern is none; the message names it. */
export class RegexError extends UserError {
  override name = "RegexError";
}

export interface PythonFlags {
  ignoreCase?: boolean;
  multiline?: boolean;
  dotAll?: boolean;
}

export interface PythonMatch {
  /** In JavaScript's units. */
  index: number;
  end: number;
  /** The whole match, then each group; undefined where it did not take part. */
  groups: (string | undefined)[];
}

/** `re.compile(pattern, flags)`. @throws {RegexError} */
export function pythonRegex(pattern: string, flags: PythonFlags = {}): PythonRegex {
  return new PythonRegex(pattern, flags);
}

export class PythonRegex {
  readonly source: string;
  /** Numbers of the groups that have names. */
  readonly names: ReadonlyMap<string, number>;
  private readonly matcher: Matcher;
  private readonly groups: number;

  constructor(source: string, { ignoreCase, multiline, dotAll }: PythonFlags) {
    this.source = source;
    const letters = [ignoreCase && "i", multiline && "m", dotAll && "s"].filter((letter) => typeof letter === "string");
    let pattern: Pattern;
    try {
      pattern = parsePattern(source, new Set(letters));
    } catch (error) {
      throw this.error(error);
    }
    this.names = pattern.names;
    this.groups = pattern.groups;
    this.matcher = new Matcher(pattern.node, pattern.groups);
  }

  /** `re.finditer(pattern, text)` */
  *matches(text: string): Generator<PythonMatch, void> {
    const characters = Array.from(text);
    const codes = Uint32Array.from(characters, (character) => character.codePointAt(0)!);
    let [at, index] = [0, 0];
    // An empty match is not found twice: behind it only a longer one begins.
    let forbiddenEnd = -1;
    while (at <= codes.length) {
      const end = this.matcher.matchAt(codes, at, forbiddenEnd);
      forbiddenEnd = -1;
      if (end < 0) {
        index += characters[at]?.length ?? 0;
        at++;
        continue;
      }
      const groups = this.groupsOf(characters, at, end);
      const next = index + groups[0]!.length;
      yield { index, end: next, groups };
      if (end === at) forbiddenEnd = at;
      [at, index] = [end, next];
    }
  }

  /** `re.sub(pattern, replacement, text)` with a function. */
  replace(text: string, replacement: (match: PythonMatch) => string): string {
    let [rest, from] = ["", 0];
    for (const match of this.matches(text)) {
      rest += text.slice(from, match.index) + replacement(match);
      from = match.end;
    }
    return rest + text.slice(from);
  }

  /** `re.sub(pattern, "", text)`. */
  remove(text: string): string {
    return this.replace(text, () => "");
  }

  private groupsOf(characters: readonly string[], begin: number, end: number): (string | undefined)[] {
    const groups: (string | undefined)[] = [characters.slice(begin, end).join("")];
    for (let index = 1; index <= this.groups; index++) {
      const group = this.matcher.group(index);
      groups.push(group === null ? undefined : characters.slice(...group).join(""));
    }
    return groups;
  }

  private error(error: unknown): unknown {
    if (error instanceof PatternError) return new RegexError(`regular expression ${this.source}: ${error.message}`);
    if (error instanceof RangeError) return new RegexError(`regular expression ${this.source}: nested too deeply`);
    return error;
  }
}

/**
 * `re.findall(pattern, text)[select]` as one text: the whole match, or of several groups the first that is not empty.
 * @param select negative: from the end
 * @returns undefined if there is no such match, or its groups are all empty
 */
export function selectedMatch(text: string, pattern: PythonRegex, select: number): string | undefined {
  const groups = [...pattern.matches(text)].at(select)?.groups;
  if (groups === undefined || groups.length <= 2)
    return groups && (groups.length === 1 ? groups[0] : (groups[1] ?? ""));
  return groups.slice(1).find((group) => group !== undefined && group !== "");
}
