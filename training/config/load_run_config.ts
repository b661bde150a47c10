/**
 * Reads a run configuration: YAML file or shipped recipe, then `--set` overrides, then the schema and the rules
 * between keys. Every problem is one line that names the file and line, the key path, and the nearest valid key.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { isNode, LineCounter, parse, parseDocument, stringify } from "yaml";
import { type ModelConfig, ModelConfigError, resolveModelConfig } from "../../src/config/model_config.ts";
import { hasTernaryWeights, isQuantized } from "../../src/config/model_quantizers.ts";
import { checkPackable, type ExportType } from "../../src/config/packing_rules.ts";
import { recipeNames, recipePath } from "../../src/config/recipes.ts";
import { describeProblems, type SectionKeys } from "../../src/config/schema_errors.ts";
import { nearestName } from "../../src/errors/nearest_name.ts";
import { systemErrorText } from "../../src/errors/system_error.ts";
import { UserError } from "../../src/errors/user_error.ts";
import { type RunConfig, runConfigSchema, runConfigSections } from "./run_config.ts";

/** The configuration cannot be used. The message has one line per problem. */
export class RunConfigError extends UserError {
  override name = "RunConfigError";
}

/** A value given on the command line instead of the file: the key path and where it came from ("--set"). */
export interface Override {
  path: readonly string[];
  value: unknown;
  origin: string;
}

const sectionKeys: SectionKeys = Object.fromEntries(
  Object.entries(runConfigSections).map(([name, schema]) => [name, Object.keys(schema.shape)]),
);

/**
 * Parses `section.key=value`; the value is YAML, so `3`, `true`, `[a, b]` have their types.
 * @throws {RunConfigError} if there is no `=`, the path is not `section.key`, or the value is not YAML.
 */
export function parseOverride(text: string): Override {
  const equals = text.indexOf("=");
  const path = text.slice(0, Math.max(equals, 0)).trim().split(".");
  if (equals < 0 || path.length !== 2 || path.includes("")) {
    throw new RunConfigError(`--set ${text}: expected section.key=value, for example training.max_steps=500`);
  }
  try {
    return { path, value: parse(text.slice(equals + 1)), origin: "--set" };
  } catch (error) {
    throw new RunConfigError(`--set ${text}: ${firstLine((error as Error).message)}`);
  }
}

function firstLine(message: string): string {
  return message.split("\n")[0].replace(/:$/, "");
}

/**
 * File that `--config` names: a path, or the name of a shipped recipe.
 * @throws {RunConfigError} that lists the recipes if there is neither.
 */
export function resolveConfigPath(nameOrPath: string): string {
  if (existsSync(nameOrPath)) {
    if (statSync(nameOrPath).isFile()) return nameOrPath;
    throw new RunConfigError(`${nameOrPath}: is a directory; --config takes a YAML file or a recipe's name`);
  }
  const recipe = recipePath(nameOrPath);
  if (recipe) return recipe;
  const near = nearestName(nameOrPath, recipeNames());
  throw new RunConfigError(
    `${nameOrPath}: no such file or recipe; the recipes are ${recipeNames().join(", ")}` +
      (near ? ` (nearest: ${near})` : ""),
  );
}

/** Reads and checks a configuration file. @see parseRunConfig */
export function loadRunConfig(file: string, overrides: readonly Override[] = []): RunConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new RunConfigError(`${file}: cannot be read: ${systemErrorText(error)}`);
  }
  return parseRunConfig(text, file, overrides);
}

/**
 * Parses and checks a configuration.
 * @param file name for messages
 * @throws {RunConfigError} for invalid YAML (file:line:column), unknown keys, wrong types, and broken rules.
 */
export function parseRunConfig(text: string, file: string, overrides: readonly Override[] = []): RunConfig {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  if (document.errors.length > 0) {
    const [problem] = document.errors;
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    throw new RunConfigError(`${file}:${line}:${col}: invalid YAML: ${firstLine(problem.message)}`);
  }
  const root: unknown = document.toJS() ?? {};
  if (typeof root !== "object" || root === null || Array.isArray(root)) {
    throw new RunConfigError(`${file}: expected the sections ${Object.keys(sectionKeys).join(", ")}`);
  }
  const sections = root as Record<string, unknown>;
  // `optimizer:` with nothing below it is a section of defaults.
  for (const name of Object.keys(sections)) sections[name] ??= {};
  const origins = applyOverrides(sections, overrides);

  const lineOf = (path: readonly PropertyKey[]): string => {
    const node = document.getIn(path, true);
    const range = isNode(node) ? node.range : undefined;
    return range ? `${file}:${lineCounter.linePos(range[0]).line}` : file;
  };
  const parsed = runConfigSchema.safeParse(root);
  if (!parsed.success) {
    const locate = (path: readonly PropertyKey[]) => origins.get(path.slice(0, 2).join(".")) ?? lineOf(path);
    throw new RunConfigError(describeProblems(parsed.error, root, { sections: sectionKeys, locate }).join("\n"));
  }
  const problems = ruleProblems(parsed.data);
  if (problems.length > 0) throw new RunConfigError(problems.map((line) => `${file}: ${line}`).join("\n"));
  return parsed.data;
}

/** Sets each override in `root`; returns where each overridden key path came from. */
function applyOverrides(root: Record<string, unknown>, overrides: readonly Override[]): Map<string, string> {
  const origins = new Map<string, string>();
  for (const { path, value, origin } of overrides) {
    const [section, key] = path;
    root[section] ??= {};
    if (typeof root[section] === "object" && root[section] !== null) {
      (root[section] as Record<string, unknown>)[key] = value;
    }
    origins.set(path.join("."), origin);
  }
  return origins;
}

/** Rules between keys that the schema cannot say. */
function ruleProblems(config: RunConfig): string[] {
  const problems: string[] = [];
  try {
    const model = resolveModelConfig(config.model);
    const unpackable = unpackableReason(model);
    if (unpackable && !config.training.allow_unpackable) {
      problems.push(`model: ${unpackable} (training.allow_unpackable: true trains it all the same)`);
    }
    if (config.training.backward_precision === "int8" && !isQuantized(model)) {
      problems.push("training.backward_precision: int8 needs model.weight_quantizer and model.activation_quantizer");
    }
  } catch (error) {
    if (!(error instanceof ModelConfigError)) throw error;
    problems.push(`model: ${error.message}`);
  }
  const { training, model, tokenizer } = config;
  if (training.sequence_length > model.max_position_embeddings) {
    problems.push(
      `training.sequence_length (${training.sequence_length}) is more than model.max_position_embeddings (${model.max_position_embeddings})`,
    );
  }
  if (tokenizer.type === "file" && tokenizer.path === undefined) {
    problems.push("tokenizer.path is missing: tokenizer.type file reads an existing tokenizer.json");
  }
  return problems;
}

/** Ternary export types, the most general last. */
const ternaryTypes: readonly ExportType[] = ["tq2_0", "tq1_0", "i2_s"];

/** Why no ternary export type can hold a ternary model; null if one can. */
function unpackableReason(model: ModelConfig): string | null {
  if (!hasTernaryWeights(model)) return null;
  const reasons = ternaryTypes.map((type) => checkPackable(model, type));
  return reasons.includes(null) ? null : reasons.at(-1)!;
}

/** Lines about ternary export types that cannot hold the model, where another one can. */
export function packingWarnings(model: ModelConfig): string[] {
  if (!hasTernaryWeights(model) || unpackableReason(model) !== null) return [];
  return ternaryTypes.flatMap((type) => checkPackable(model, type) ?? []);
}

/** YAML of a resolved configuration, as written to `<run>/config.yaml`. Parses back to an equal one. */
export function formatRunConfig(config: RunConfig): string {
  return stringify(config, { lineWidth: 0 });
}

/**
 * Key paths whose values differ, as `training.seed (0, now 1)`.
 * @param ignored key paths that may differ
 */
export function differingKeys(before: RunConfig, now: RunConfig, ignored: ReadonlySet<string>): string[] {
  const differences: string[] = [];
  for (const section of Object.keys(runConfigSections) as (keyof RunConfig)[]) {
    const [old, current] = [before[section], now[section]] as Record<string, unknown>[];
    for (const key of new Set([...Object.keys(old), ...Object.keys(current)])) {
      const [a, b] = [JSON.stringify(old[key]), JSON.stringify(current[key])];
      if (a !== b && !ignored.has(`${section}.${key}`)) {
        differences.push(`${section}.${key} (${a ?? "unset"}, now ${b ?? "unset"})`);
      }
    }
  }
  return differences;
}
