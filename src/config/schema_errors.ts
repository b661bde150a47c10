/** Wording of schema problems: one line each, naming where, the key path, and the nearest valid key or values. */
import type { z } from "zod";
import { nearestName } from "../errors/nearest_name.ts";

type Path = readonly PropertyKey[];

/** Valid keys of each section of a two-level configuration. */
export type SectionKeys = Readonly<Record<string, readonly string[]>>;

export interface ProblemContext {
  sections: SectionKeys;
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

/** A key of that name elsewhere beats a similar one here: `training.learning_rate` means `optimizer.learning_rate`. */
function nearestKey(section: string | undefined, key: string, sections: SectionKeys): string | undefined {
  if (section === undefined) {
    const owner = Object.keys(sections).find((name) => sections[name].includes(key));
    return owner ? `${owner}.${key}` : nearestName(key, Object.keys(sections));
  }
  const owner = Object.keys(sections).find((name) => name !== section && sections[name].includes(key));
  if (owner) return `${owner}.${key}`;
  const near = nearestName(key, [...(sections[section] ?? [])]);
  return near ? `${section}.${near}` : undefined;
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
      return `expected a text or a list of texts, got ${describeValue(value)}`;
    default:
      return issue.message;
  }
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
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
  return error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      const section = issue.path.length > 0 ? String(issue.path[0]) : undefined;
      return issue.keys.map((key) => {
        const near = nearestKey(section, key, context.sections);
        const path = [...issue.path, key];
        return `${context.locate(path)}: unknown key ${path.join(".")}${near ? `; the nearest valid key is ${near}` : ""}`;
      });
    }
    const what = describeIssue(issue, valueAt(root, issue.path));
    const path = issue.path.join(".") || "the configuration";
    return [`${context.locate(issue.path)}: ${path}${what === "is missing" ? " " : ": "}${what}`];
  });
}
