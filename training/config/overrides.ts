/** Values given on the command line instead of the file. */
import { parse } from "yaml";
import { synonymOf } from "../../src/config/key_synonyms.ts";
import { keysOf, sectionsAt, typeOf } from "../../src/config/schema_tree.ts";
import { runConfigSchema } from "./run_config.ts";
import { RunConfigError } from "./run_config_error.ts";

/** A value, the path of its key, and where it came from ("--set"). */
export interface Override {
  path: readonly string[];
  value: unknown;
  origin: string;
}

type Section = Record<string, unknown>;

/**
 * Parses `section.key=value`, keys of any depth; the value is YAML, so `3`, `true`, `[a, b]` have their types.
 * @throws {RunConfigError} if there is no `=`, the path is no key of a section, or the value is not YAML.
 */
export function parseOverride(text: string): Override {
  const equals = text.indexOf("=");
  const path = text.slice(0, Math.max(equals, 0)).trim().split(".");
  const isWhole = path.length > 1 || isKeyOfItsOwn(path[0]);
  if (equals < 0 || !isWhole || path.includes("")) {
    throw new RunConfigError(`--set ${text}: expected section.key=value, ${setExample(path, text.slice(equals + 1))}`);
  }
  try {
    return { path, value: parse(text.slice(equals + 1)), origin: "--set" };
  } catch (error) {
    throw new RunConfigError(`--set ${text}: ${firstLine((error as Error).message)}`);
  }
}

/** True for what a recipe has beside its sections. */
function isKeyOfItsOwn(name: string): boolean {
  return Object.hasOwn(runConfigSchema.shape, name) && sectionsAt(runConfigSchema, [name]).length === 0;
}

/** `for example training.max_steps=500`, the keys that a lone name means, or what to do instead of one. */
function setExample([name, ...others]: readonly string[], value: string): string {
  const owners = keysOf(sectionsAt(runConfigSchema, [])).filter((section) =>
    keysOf(sectionsAt(runConfigSchema, [section])).includes(name),
  );
  const synonym = owners.length === 0 && others.length === 0 ? synonymOf(name) : undefined;
  const keys = synonym?.key === undefined ? owners.map((owner) => `${owner}.${name}`) : [synonym.key];
  if (others.length === 0 && keys.length > 0) return `here ${keys.map((key) => `${key}=${value}`).join(" or ")}`;
  return synonym?.advice ?? "for example training.max_steps=500";
}

/** Of a message of the YAML parser. */
export function firstLine(message: string): string {
  return message.split("\n")[0].replace(/:$/, "");
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Sets each override in `root`. Another `type` of a section leaves the keys behind that the file wrote for the old type
 * and the new one does not have.
 */
export function applyOverrides(root: Section, overrides: readonly Override[]): void {
  for (const { path, value } of overrides) {
    if (path.at(-1) === "type") dropKeysOfOldType(root, path.slice(0, -1), value);
  }
  for (const { path, value } of overrides) setValue(root, path, value);
}

function setValue(root: Section, path: readonly string[], value: unknown): void {
  let section = root;
  for (const name of path.slice(0, -1)) {
    const inner = section[name];
    // A text where a section may be is its type: `quantizer: x` is short for `quantizer: {type: x}`.
    if (!isSection(inner)) section[name] = typeof inner === "string" ? { type: inner } : {};
    section = section[name] as Section;
  }
  section[path.at(-1)!] = value;
}

function dropKeysOfOldType(root: Section, path: readonly string[], type: unknown): void {
  const section = path.reduce<unknown>((value, name) => (isSection(value) ? value[name] : undefined), root);
  const members = sectionsAt(runConfigSchema, path);
  const chosen = members.find((member) => typeOf(member) === type);
  if (!isSection(section) || chosen === undefined) return;
  for (const key of keysOf(members)) if (!Object.hasOwn(chosen.shape, key)) delete section[key];
}

/**
 * Where the value at `path` was given on the command line; undefined if it was not.
 * @param isWritten the file has something there, too: a section, of which the command line gave one key
 */
export function originOf(
  path: readonly PropertyKey[],
  overrides: readonly Override[],
  isWritten: boolean,
): string | undefined {
  const isWithin = (outer: readonly PropertyKey[], inner: readonly PropertyKey[]) =>
    outer.length <= inner.length && outer.every((key, i) => key === inner[i]);
  return overrides.findLast(
    (each) => isWithin(each.path, path) || ((path.length > 1 || !isWritten) && isWithin(path, each.path)),
  )?.origin;
}
