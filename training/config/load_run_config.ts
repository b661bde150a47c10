/**
 * Reads a run configuration: YAML file or shipped recipe, then `--set` overrides, then the schema and the rules
 * between keys. Every problem is one line that names the file and line, the key path, and the nearest valid key.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { isNode, isScalar, LineCounter, parseDocument, stringify } from "yaml";
import type { Quantization } from "../../src/checkpoint/quantization_keys.ts";
import { ModelConfigError, resolveModelConfig } from "../../src/config/model_config.ts";
import { activationQuantizerOf, isQuantized, weightQuantizerOf } from "../../src/config/model_quantizers.ts";
import { unpackableReason } from "../../src/config/packing_rules.ts";
import { recipeNames, recipePath } from "../../src/config/recipes.ts";
import { describeProblems } from "../../src/config/schema_errors.ts";
import { nearestName } from "../../src/errors/nearest_name.ts";
import { systemErrorText } from "../../src/errors/system_error.ts";
import { upgradeSavedConfig } from "./earlier_configs.ts";
import { type InitialShape, shapeProblems, withInitialShape } from "./initial_shape.ts";
import { applyOverrides, firstLine, type Override, originOf } from "./overrides.ts";
import { quantizationProblems } from "./quantization.ts";
import { type RunConfig, runConfigSchema } from "./run_config.ts";
import { RunConfigError } from "./run_config_error.ts";

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

function readConfigFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new RunConfigError(`${file}: cannot be read: ${systemErrorText(error)}`);
  }
}

/** Reads and checks a configuration file. @see parseRunConfig */
export function loadRunConfig(file: string, overrides: readonly Override[] = [], initial?: InitialShape): RunConfig {
  return parseRunConfig(readConfigFile(file), file, overrides, initial);
}

/** What a configuration says of the model that its run begins with; null if it names none. */
export interface InitialRequest {
  source: string;
  /** What its linear layers are, where the configuration says it. */
  assumed?: Quantization;
}

/** @throws {RunConfigError} as {@link parseRunConfig} for what is no YAML. */
export function initialRequest(file: string, overrides: readonly Override[] = []): InitialRequest | null {
  const { sections } = readSections(readConfigFile(file), file, overrides);
  const { init_from: source, model } = sections as { init_from?: unknown; model?: { weight_quantizer?: unknown } };
  if (typeof source !== "string" || source === "") return null;
  const quantizer = model?.weight_quantizer;
  return quantizer === undefined ? { source } : { source, assumed: quantizer === "none" ? "none" : "online" };
}

/** The sections of a file with the overrides in them, as they stand there, and the places of its keys. */
function readSections(text: string, file: string, overrides: readonly Override[]) {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  if (document.errors.length > 0) {
    const [problem] = document.errors;
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    throw new RunConfigError(`${file}:${line}:${col}: invalid YAML: ${firstLine(problem.message)}`);
  }
  const root: unknown = document.toJS() ?? {};
  if (typeof root !== "object" || root === null || Array.isArray(root)) {
    throw new RunConfigError(`${file}: expected the sections ${Object.keys(runConfigSchema.shape).join(", ")}`);
  }
  const written = root as Record<string, unknown>;
  // `optimizer:` with nothing below it is a section of defaults.
  for (const name of Object.keys(written)) written[name] ??= {};
  const sections = upgradeSavedConfig(written);
  applyOverrides(sections, overrides);
  return { sections, document, lineCounter };
}

/**
 * Parses and checks a configuration.
 * @param file name for messages
 * @param initial the shape of the model of `init_from`, which completes section `model`
 * @throws {RunConfigError} for invalid YAML (file:line:column), unknown keys, wrong types, and broken rules.
 */
export function parseRunConfig(
  text: string,
  file: string,
  overrides: readonly Override[] = [],
  initial?: InitialShape,
): RunConfig {
  const { sections, document, lineCounter } = readSections(text, file, overrides);
  if (initial !== undefined) {
    sections.model = withInitialShape(initial, (sections.model ?? {}) as Record<string, unknown>);
    sections.tokenizer ??= { type: "checkpoint" };
  }

  const lineOf = (path: readonly PropertyKey[]): string => {
    // A text in place of a section is its type.
    const section = document.getIn(path.slice(0, -1), true);
    const node = isScalar(section) ? section : document.getIn(path, true);
    const range = isNode(node) ? node.range : undefined;
    return range ? `${file}:${lineCounter.linePos(range[0]).line}` : file;
  };
  const parsed = runConfigSchema.safeParse(sections);
  if (!parsed.success) {
    const locate = (path: readonly PropertyKey[]) => {
      const isWritten = isNode(document.getIn(path, true));
      return originOf(path, overrides, isWritten) ?? lineOf(path);
    };
    throw new RunConfigError(describeProblems(parsed.error, sections, { schema: runConfigSchema, locate }).join("\n"));
  }
  const problems = [
    ...(initial === undefined ? [] : shapeProblems(initial, parsed.data.model)),
    ...ruleProblems(parsed.data),
  ];
  if (problems.length > 0) {
    const origin = ({ keys }: RuleProblem) =>
      keys.map((key) => originOf(key.split("."), overrides, false)).find((each) => each !== undefined) ?? file;
    throw new RunConfigError(problems.map((problem) => `${origin(problem)}: ${problem.text}`).join("\n"));
  }
  return parsed.data;
}

interface RuleProblem {
  /** The keys (or sections) that the rule is about. */
  keys: string[];
  text: string;
}

/** Rules between keys that the schema cannot say. */
function ruleProblems(config: RunConfig): RuleProblem[] {
  const problems: RuleProblem[] = [];
  try {
    const model = resolveModelConfig(config.model);
    const unpackable = unpackableReason(model);
    if (unpackable && !config.training.allow_unpackable) {
      const text = `model: ${unpackable} (training.allow_unpackable: true trains it all the same)`;
      problems.push({ keys: ["model", "training.allow_unpackable"], text });
    }
    const final = { weights: weightQuantizerOf(model), activations: activationQuantizerOf(model) };
    for (const { key, text } of quantizationProblems(config.quantization, final)) {
      problems.push({ keys: [key, "model"], text });
    }
    if (config.training.backward_precision === "int8" && !isQuantized(model)) {
      problems.push({
        keys: ["training.backward_precision", "model.weight_quantizer", "model.activation_quantizer"],
        text: "training.backward_precision: int8 needs model.weight_quantizer and model.activation_quantizer",
      });
    }
  } catch (error) {
    if (!(error instanceof ModelConfigError)) throw error;
    problems.push({ keys: ["model"], text: `model: ${error.message}` });
  }
  const { training, model, tokenizer, telemetry, loss } = config;
  const layers = model.num_hidden_layers;
  const absent = telemetry.layers?.find((layer) => layer >= layers || layer < -layers);
  if (absent !== undefined) {
    problems.push({
      keys: ["telemetry.layers", "model.num_hidden_layers"],
      text: `telemetry.layers: there is no layer ${absent}: the model has 0 to ${layers - 1}, from the end -1 to -${layers}`,
    });
  }
  if (training.sequence_length > model.max_position_embeddings) {
    problems.push({
      keys: ["training.sequence_length", "model.max_position_embeddings"],
      text: `training.sequence_length (${training.sequence_length}) is more than model.max_position_embeddings (${model.max_position_embeddings})`,
    });
  }
  if (loss.cross_entropy === 0 && loss.distillation === undefined) {
    problems.push({
      keys: ["loss.cross_entropy", "loss.distillation"],
      text: "loss.cross_entropy is 0: without loss.distillation there is nothing to learn from",
    });
  }
  if (tokenizer.type === "checkpoint" && config.init_from === undefined) {
    problems.push({
      keys: ["tokenizer.type", "init_from"],
      text: "tokenizer.type checkpoint is that of init_from, which is missing",
    });
  }
  if (tokenizer.type === "file" && tokenizer.path === undefined) {
    problems.push({
      keys: ["tokenizer.type", "tokenizer.path"],
      text: "tokenizer.path is missing: tokenizer.type file reads an existing tokenizer.json",
    });
  }
  return problems;
}

/** YAML of a resolved configuration, as written to `<run>/config.yaml`. Parses back to an equal one. */
export function formatRunConfig(config: RunConfig): string {
  return stringify(config, { lineWidth: 0 });
}
