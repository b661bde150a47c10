/** What `bitnet-export` does. The command loads it, and tfjs with it, when it runs: `--help` need not wait for that. */
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { Presets, SingleBar } from "cli-progress";
import { type ExportChoice, type ExportPlan, planExport } from "../export/export_plan.ts";
import { ggufExportBytes, planGguf, writeGgufExport } from "../export/gguf_export.ts";
import { architectureOf } from "../export/model_metadata.ts";
import type { ReadParameter } from "../export/packed_tensor.ts";
import { modelPresets, presetConfig, randomParameters } from "../export/random_model.ts";
import { transformersExportBytes, writeTransformersExport } from "../export/transformers_export.ts";
import { sampleText } from "../export/verify/sample_text.ts";
import type { VerifiedTensors } from "../export/verify/verification.ts";
import { verifyGguf } from "../export/verify/verify_gguf.ts";
import { verifyTransformers } from "../export/verify/verify_transformers.ts";
import { type Checkpoint, openCheckpoint, readParameter } from "../src/checkpoint/checkpoint.ts";
import { readModelConfig } from "../src/checkpoint/model_config_json.ts";
import { type ModelConfig, resolveModelConfig } from "../src/config/model_config.ts";
import { modelParameters, parameterCount } from "../src/model/parameters.ts";
import { byteLevelTokenizer } from "../src/tokenizer/byte_level_tokenizer.ts";
import { loadRunConfig, resolveConfigPath } from "../training/config/load_run_config.ts";
import { checkInteger, UsageError } from "./command.ts";
import { compareExport } from "./compare_export.ts";
import type { ExportFlags } from "./export_flags.ts";

/** Reads a checkpoint's parameters by name. */
function readerOf(checkpoint: Checkpoint): ReadParameter {
  const specs = new Map(modelParameters(checkpoint.config).map((spec) => [spec.name, spec]));
  return (name) => readParameter(checkpoint, specs.get(name)!);
}

/** Writes and reads back one kind of export. */
interface ExportFormat {
  /** For the report. */
  description: string;
  bytes: number;
  write(onBytes: (bytes: number) => void): Promise<void>;
  verify(): Promise<VerifiedTensors>;
}

function formatOf(plan: ExportPlan, out: string, name: string, read: ReadParameter): ExportFormat {
  if (plan.target === "transformers") {
    return {
      description: `transformers, ${plan.linearType === "f32" ? "f32" : "packed codes"}`,
      bytes: transformersExportBytes(plan),
      write: (onBytes) => writeTransformersExport(out, plan, read, onBytes),
      verify: () => verifyTransformers(out, plan, read),
    };
  }
  const gguf = planGguf(plan, name);
  return {
    description: `${architectureOf(plan.config)}, ${plan.linearType}`,
    bytes: ggufExportBytes(gguf),
    write: (onBytes) => writeGgufExport(out, gguf, read, onBytes),
    verify: () => verifyGguf(out, gguf, read),
  };
}

/** `runs/small` for `runs/small/checkpoints/step-00000500`, else the directory's own name. */
function modelName(directory: string): string {
  const parts = path.resolve(directory).split(path.sep);
  return parts.at(-2) === "checkpoints" ? parts.at(-3)! : parts.at(-1)!;
}

async function write(format: ExportFormat): Promise<void> {
  // Silent when the output is no terminal.
  const bar = new SingleBar({ format: "{bar} {percentage}% of {size}", hideCursor: true }, Presets.shades_classic);
  bar.start(format.bytes, 0, { size: size(format) });
  try {
    await format.write((bytes) => bar.increment(bytes));
  } finally {
    bar.stop();
  }
}

function size({ bytes }: ExportFormat): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;
}

function verifiedLine({ ternaryMatrices, ternaryCodes, floatTensors }: VerifiedTensors): string {
  const ternary =
    ternaryMatrices === 0
      ? ""
      : `${ternaryMatrices} matrices (${ternaryCodes.toLocaleString("en-US")} ternary codes and their scales) and `;
  return `verified: ${ternary}${floatTensors} float tensors identical to the checkpoint`;
}

/** A file that does not pass is worse than none. */
async function removeIfWrong<T>(out: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    await rm(out, { recursive: true, force: true });
    throw error;
  }
}

/** The shape that `--random` names. */
async function randomConfig(name: string): Promise<ModelConfig> {
  if (Object.hasOwn(modelPresets, name)) return presetConfig(name);
  if (name.endsWith(".json")) return readModelConfig(JSON.parse(await readFile(name, "utf8")), () => undefined);
  const config = resolveModelConfig(loadRunConfig(resolveConfigPath(name)).model);
  if (config.vocabSize > 0) return config;
  throw new UsageError(`--random ${name}: the recipe has no model.vocab_size, its tokenizer would decide`);
}

async function exportRandom(name: string, chosen: ExportFlags): Promise<void> {
  const config = await randomConfig(name);
  const tokenizer = byteLevelTokenizer({ eosToken: "<|end_of_text|>" });
  if (config.vocabSize < tokenizer.vocabSize) {
    throw new UsageError(
      `--random ${name}: its vocabulary of ${config.vocabSize} cannot hold the ${tokenizer.vocabSize} ids of bytes`,
    );
  }
  const plan = planExport(config, tokenizer, planChoice(chosen));
  const format = formatOf(plan, chosen.out, chosen.name ?? `random ${name}`, randomParameters(config, chosen.seed));
  await write(format);
  report(`random ${name}, seed ${chosen.seed}`, plan, format, chosen.out);
  if (chosen.verify !== undefined) console.log(verifiedLine(await removeIfWrong(chosen.out, format.verify)));
}

async function exportCheckpoint(directory: string, chosen: ExportFlags): Promise<void> {
  const text = chosen.text === undefined ? sampleText : await readFile(chosen.text, "utf8");
  const checkpoint = await openCheckpoint(directory);
  try {
    const plan = planExport(checkpoint.config, checkpoint.tokenizer, planChoice(chosen));
    const format = formatOf(plan, chosen.out, chosen.name ?? modelName(checkpoint.directory), readerOf(checkpoint));
    await write(format);
    report(checkpoint.directory, plan, format, chosen.out);
    console.log(verifiedLine(await removeIfWrong(chosen.out, format.verify)));
    if (chosen.verify === "tensors") return;
    const textName = chosen.text ?? "the built-in text";
    const compare = () => compareExport(checkpoint, plan, chosen.out, { threads: chosen.threads, text, textName });
    for (const line of await removeIfWrong(chosen.out, compare)) console.log(line);
  } finally {
    await checkpoint.tensors.close();
  }
}

function planChoice(chosen: ExportFlags): ExportChoice {
  return { target: chosen.target, type: chosen.type, embeddingType: chosen["embedding-type"] };
}

function report(source: string, plan: ExportPlan, format: ExportFormat, out: string): void {
  const parameters = parameterCount(plan.config).toLocaleString("en-US");
  console.log(`${source} -> ${out}`);
  console.log(`${format.description}, embedding ${plan.embeddingDtype}: ${parameters} parameters, ${size(format)}`);
  if (plan.note !== null) console.log(`note: ${plan.note}`);
}

/** @throws {UsageError}, {ExportRefusedError} and the errors of checkpoint and file. */
export async function runExport(chosen: ExportFlags, directory: string | undefined): Promise<void> {
  checkInteger("threads", chosen.threads, 1);
  checkInteger("seed", chosen.seed, 0);
  if (chosen.random !== undefined && directory !== undefined) {
    throw new UsageError(`give a checkpoint or --random, not both`);
  }
  if (chosen.random !== undefined) await exportRandom(chosen.random, chosen);
  else if (directory !== undefined) await exportCheckpoint(directory, chosen);
  else throw new UsageError("missing argument <checkpoint> (or --random)");
}
