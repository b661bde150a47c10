/** Wording of schema problems: one line each, naming where, the key path, and the nearest valid key or values. */
import type { z } from "zod";
import { nearestName } from "../errors/nearest_name.ts";
import { synonymOf } from "./key_synonyms.ts";
import { keysOf, sectionsAt, typeOf } from "./schema_tree.ts";

type Path = readonly PropertyKey[];

export interface ProblemContext {
  /** What was parsed with. */
  schema: z.ZodType;
  /** Where the value at `path` was written ("small.yaml:12", "--set"); for a missing key, its section. */
  locate(path: Path): string;
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a section";
  return `${JSON.stringify(value)}`;
}

const typeNames: Record<string, string> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  object: "a section",
  array: "a list",
};

/** Keys that mean another thing in each section. */
const ambiguous: ReadonlySet<string> = new Set(["type", "path"]);

/**
 * What to write instead of an unknown key, as the end of a line. A key of that name in another top-level section comes
 * first (`training.learning_rate` is the optimizer's), then a typing mistake in this section, then what other trainers
 * call so, then a typing mistake in another section; at last what there is.
 */
export function keyAdvice(path: Path, key: string, schema: z.ZodType): string {
  const nearest = (found: readonly PropertyKey[]) => `; the nearest valid key is ${found.join(".")}`;
  const sections = keysOf(sectionsAt(schema, []));
  const owner = sections
    .filter((name) => name !== path[0] && !ambiguous.has(key))
    .find((name) => keysOf(sectionsAt(schema, [name])).includes(key));
  if (owner !== undefined) return nearest([owner, key]);
  if (path.length > 0 && sections.includes(key)) return `: ${key} is a section of its own, beside ${path.join(".")}`;
  const siblings = keysOf(sectionsAt(schema, path));
  const synonym = synonymOf(key, String(path[0] ?? ""));
  const near = nearestName(key, siblings);
  if (near !== undefined && (synonym === undefined || synonym.key === [...path, near].join("."))) {
    return nearest([...path, near]);
  }
  if (synonym !== undefined) return `: ${synonym.advice}`;
  for (const name of sections) {
    const other = nearestName(key, keysOf(sectionsAt(schema, [name])));
    if (other !== undefined) return nearest([name, other]);
  }
  return siblings.length === 0 ? "" : `; ${path.length === 0 ? "the sections" : "its keys"} are ${siblings.join(", ")}`;
}

/** "unknown key optimizer.lerning_rate; ...", or which type of the section has the key. */
function describeUnknownKey(path: Path, key: string, root: unknown, schema: z.ZodType): string {
  const name = [...path, key].join(".");
  const owners = sectionsAt(schema, path).filter(({ shape }) => Object.hasOwn(shape, key));
  if (owners.length > 0) {
    const own = valueAt(root, [...path, "type"]);
    const not = typeof own === "string" ? `, not of ${own}` : "";
    return `${name} is a key of type ${owners.map(typeOf).join(", ")}${not}`;
  }
  return `unknown key ${name}${keyAdvice(path, key, schema)}`;
}

/** "at least 1", "more than 0": the bound of a `too_small` / `too_big` issue. */
function describeBound(bound: string, strict: string, limit: unknown, inclusive: boolean | undefined): string {
  return `${inclusive ? bound : strict} ${String(limit)}`;
}

function describeIssue(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      if (value === undefined) return "is missing";
      return `expected ${typeNames[issue.expected] ?? issue.expected}, got ${describeValue(value)}`;
    case "invalid_value":
      return `expected ${issue.values.map((v) => String(v)).join(", ")}; got ${describeValue(value)}`;
    case "too_small":
      return `must be ${describeBound("at least", "more than", issue.minimum, issue.inclusive)}, got ${describeValue(value)}`;
    case "too_big":
      return `must be ${describeBound("at most", "less than", issue.maximum, issue.inclusive)}, got ${describeValue(value)}`;
    case "invalid_union":
      // A `type` that no member of the union has.
      if ("options" in issue && Array.isArray(issue.options)) {
        return `expected ${issue.options.join(", ")}; got ${describeValue(value)}`;
      }
      return `${issue.message}, got ${describeValue(value)}`;
    default:
      return issue.message;
  }
}

/** A union's problem as that of the member that the value came furthest into; a wrong kind of value is that of all. */
export function ofMember(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const [nearest] = issue.errors
    .map(([problem]) => ofMember(problem))
    .filter(({ code, path }) => code !== "invalid_type" || path.length > 0)
    .sort((a, b) => b.path.length - a.path.length);
  return nearest ? { ...nearest, path: [...issue.path, ...nearest.path] } : issue;
}

/** The value under these keys; undefined where one of them is not there. A text in place of a section is its `type`. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value === "string" && key === "type") return value;
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/**
 * One line per problem of `error`.
 * @param root the value that was parsed
 */
export function describeProblems(error: z.ZodError, root: unknown, context: ProblemContext): string[] {
  return error.issues.map(ofMember).flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const path = [...issue.path, key];
        return `${context.locate(path)}: ${describeUnknownKey(issue.path, key, root, context.schema)}`;
      });
    }
    const what = describeIssue(issue, valueAt(root, issue.path));
    const path = issue.path.join(".") || "the configuration";
    return [`${context.locate(issue.path)}: ${path}${what === "is missing" ? " " : ": "}${what}`];
  });
}
