/** What `bitnet-export` does. The command loads it, and tfjs with it, when it runs: `--help` need not wait for that. */
import { setImmediate } from "node:timers/promises";
import {
  type ExportChoice,
  type ExportPlan,
  exportModel,
  modelPresets,
  planExport,
  presetConfig,
  randomParameters,
  removeIfWrong,
  sampleText,
  type VerifiedTensors,
  verifyExport,
  verifyMeaning,
} from "../export/index.ts";
import {
  isGgufPath,
  openCheckpoint,
  parameterReader,
  type ReadParameter,
  readConfigJson,
} from "../src/checkpoint/checkpoint.ts";
import { readModelConfig } from "../src/checkpoint/model_config_json.ts";
import { type ModelConfig, resolveModelConfig } from "../src/config/model_config.ts";
import { nameOf } from "../src/config/tensor_fit.ts";
import { readTextFile } from "../src/files/text_file.ts";
import { parameterCount } from "../src/model/parameters.ts";
import { byteLevelTokenizer } from "../src/tokenizer/byte_level_tokenizer.ts";
import { loadRunConfig, resolveConfigPath } from "../training/config/load_run_config.ts";
import { checkInteger, UsageError } from "./command.ts";
import { checkThreadFlag } from "./compute_flags.ts";
import { aboutCheckpoint } from "./export_about.ts";
import { comparisonReport } from "./export_comparison.ts";
import type { ExportFlags } from "./export_flags.ts";
import { i2sOrderOf } from "./export_i2s_order.ts";
import { scaleMeaningRemark } from "./export_scale_meaning.ts";
import { Progress } from "./progress.ts";
import { say, sayAside } from "./terminal/say.ts";

/** `read`, which stops before the next tensor when `signal` aborts: signals are heard between two turns of the loop. */
function interruptible(read: ReadParameter, signal: AbortSignal): ReadParameter {
  return async (name) => {
    await setImmediate();
    signal.throwIfAborted();
    return read(name);
  };
}

/** Writes the file of a plan and says so. */
async function write(plan: ExportPlan, out: string, read: ReadParameter, source: string): Promise<void> {
  const { text, bytes } = plan.target.describe(plan);
  const size = `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;
  const progress = new Progress({ lines: "none" });
  let done = 0;
  try {
    await exportModel(plan, out, read, (written) => {
      done += written;
      progress.update("writing", done, bytes, [size]);
    });
  } finally {
    progress.close();
  }
  const parameters = parameterCount(plan.config).toLocaleString("en-US");
  say(`${source} -> ${out}`);
  say(
    `${text}, embedding ${plan.tableType.kind === "codes" ? nameOf(plan.tableType) : plan.embeddingDtype}: ${parameters} parameters, ${size}`,
  );
  if (plan.note !== null) say(`note: ${plan.note}`);
}

function verifiedLine({ ternaryMatrices, ternaryCodes, floatTensors }: VerifiedTensors): string {
  const ternary =
    ternaryMatrices === 0
      ? ""
      : `${ternaryMatrices} matrices (${ternaryCodes.toLocaleString("en-US")} ternary codes and their scales) and `;
  return `verified: ${ternary}${floatTensors} float tensors identical to the checkpoint`;
}

/** The shape that `--random` names. A bare shape is BitNet's: there are no weights yet that could be anything else. */
async function randomConfig(name: string, { quantization }: ExportFlags): Promise<ModelConfig> {
  if (Object.hasOwn(modelPresets, name)) return presetConfig(name);
  if (name.endsWith(".json")) {
    const json = await readConfigJson(name);
    const { model_type: type = "bitnet", quantization_config, weight_quantizer } = json;
    const isBare = type === "bitnet" && quantization_config === undefined && weight_quantizer === undefined;
    return readModelConfig(json, () => undefined, { quantization: quantization ?? (isBare ? "online" : undefined) });
  }
  const config = resolveModelConfig(loadRunConfig(resolveConfigPath(name)).model);
  if (config.vocabSize > 0) return config;
  throw new UsageError(`--random ${name}: the recipe has no model.vocab_size, its tokenizer would decide`);
}

async function exportRandom(name: string, chosen: ExportFlags, signal: AbortSignal): Promise<void> {
  const config = await randomConfig(name, chosen);
  const tokenizer = byteLevelTokenizer({ eosToken: "<|end_of_text|>" });
  if (config.vocabSize < tokenizer.vocabSize) {
    throw new UsageError(
      `--random ${name}: its vocabulary of ${config.vocabSize} cannot hold the ${tokenizer.vocabSize} ids of bytes`,
    );
  }
  const plan = planExport(config, tokenizer, choiceOf(chosen, `random ${name}`));
  const read = interruptible(randomParameters(config, chosen.seed), signal);
  await write(plan, chosen.out, read, `random ${name}, seed ${chosen.seed}`);
  if (chosen.verify !== undefined) await verifyWritten(plan, chosen.out, read);
}

async function exportCheckpoint(directory: string, chosen: ExportFlags, signal: AbortSignal): Promise<void> {
  const text = chosen.text === undefined ? sampleText : readTextFile(chosen.text);
  const { quantization } = chosen;
  const onRemark = (line: string) => sayAside(`note: ${line}`);
  const i2sOrder = await orderOf(directory, chosen, text, signal);
  const checkpoint = await openCheckpoint(directory, { quantization, onRemark, i2sOrder });
  try {
    const contradiction = await scaleMeaningRemark(checkpoint);
    if (contradiction !== null) sayAside(`warning: ${contradiction}`);
    const { name, ...about } = await aboutCheckpoint(checkpoint.directory, chosen);
    const choice = {
      ...choiceOf(chosen, name),
      ...about,
      // Only our own files name the type of the scales.
      scalesMayRound: checkpoint.configJson.scale_dtype === undefined,
    };
    const plan = planExport(checkpoint.config, checkpoint.tokenizer, choice);
    const read = interruptible(parameterReader(checkpoint), signal);
    await write(plan, chosen.out, read, checkpoint.directory);
    await verifyWritten(plan, chosen.out, read);
    const keys = await verifyMeaning(plan, chosen.out, checkpoint, quantization);
    say(`verified: ${keys.length} keys say what the checkpoint says: ${keys.join(", ")}`);
    if (chosen.verify === "tensors") {
      for (const { text } of plan.changes) say(`a different model: ${text}; what it costs was not measured`);
      return;
    }
    signal.throwIfAborted();
    const textName = chosen.text ?? "the built-in text";
    const options = { threads: chosen.threads, text, textName, sourceDiffers: i2sOrder !== "x86" };
    const compare = () => comparisonReport(checkpoint, plan, chosen.out, options);
    for (const line of await removeIfWrong(chosen.out, compare)) say(line);
  } finally {
    await checkpoint.tensors.close();
  }
}

/** @throws {UsageError} if there is a flag for what has no order. */
async function orderOf(source: string, chosen: ExportFlags, text: string, signal: AbortSignal) {
  const { "i2s-order": stated, threads } = chosen;
  if (isGgufPath(source)) return i2sOrderOf(source, { stated, text, threads, signal, say });
  if (stated !== undefined) throw new UsageError("--i2s-order is for GGUF files");
  return "x86";
}

async function exportHubModel(source: string, chosen: ExportFlags, signal: AbortSignal): Promise<void> {
  const { downloadModel } = await import("./hub_download.ts");
  const model = await downloadModel(source);
  await exportCheckpoint(model.path, { ...chosen, name: chosen.name ?? model.name }, signal);
}

async function verifyWritten(plan: ExportPlan, out: string, read: ReadParameter): Promise<void> {
  say(verifiedLine(await verifyExport(plan, out, read)));
}

function choiceOf(chosen: ExportFlags, name: string | undefined): ExportChoice {
  const { target, type } = chosen;
  return { target, type, embeddingType: chosen["embedding-type"], name: chosen.name ?? name };
}

/** @throws {UsageError}, {ExportRefusedError} and the errors of checkpoint and file. */
export async function runExport(
  chosen: ExportFlags,
  directory: string | undefined,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  checkThreadFlag(chosen.threads);
  checkInteger("seed", chosen.seed, 0);
  const sources = [directory, chosen.from, chosen.random].filter((each) => each !== undefined);
  if (sources.length > 1) throw new UsageError("give one of a checkpoint, --from and --random");
  if (chosen.random !== undefined && chosen["i2s-order"] !== undefined) {
    throw new UsageError("--i2s-order is for GGUF files");
  }
  const { upload } = chosen;
  // The Hub's library is loaded only for this.
  if (upload !== undefined) await (await import("../src/data/hub_upload.ts")).uploadSettings(upload);
  if (chosen.from !== undefined) await exportHubModel(chosen.from, chosen, signal);
  else if (chosen.random !== undefined) await exportRandom(chosen.random, chosen, signal);
  else if (directory !== undefined) await exportCheckpoint(directory, chosen, signal);
  else throw new UsageError("missing argument <checkpoint> (or --from or --random)");
  if (upload !== undefined) await (await import("./hub_upload.ts")).uploadExport(upload, chosen.out, signal);
}
