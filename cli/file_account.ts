/** What `bitnet-bench --account` prints: what a file holds, what a token costs by the published method, and as measured. */
import path from "node:path";
import { EngineRun } from "../native/inference/benchmark.ts";
import { Engine, type EngineOptions } from "../native/inference/engine.ts";
import { arithmeticEnergy, arithmeticOperations, energyTokens } from "../src/eval/cost/arithmetic_energy.ts";
import type { FileAccount } from "../src/eval/cost/file_account.ts";
import { textTable } from "../src/eval/report/text_table.ts";
import { EnergyMeter } from "../src/machine/energy_meter.ts";

/** Joules of the whole machine's processors. */
export interface MeasuredEnergy {
  /** What the counters count: `package-0`. */
  counters: string;
  /** Watts before the model ran. */
  idle_watts: number;
  /** For each token of the prompt, and for each drawn one; what idles in the meantime included. */
  prefill_joules_per_token: number;
  decode_joules_per_token: number;
}

/** Repeats a pass until the counters, which move about every millisecond, have seen so much of it. */
const measuredSeconds = 2;

/** @returns why there is none, in one line, where the machine shows no counters. */
export async function measureEnergy(
  file: string,
  engine: EngineOptions,
  run: { promptTokens: number; decodeTokens: number; signal?: AbortSignal },
  meter: Pick<EnergyMeter, "names" | "start"> | string = EnergyMeter.open(),
  leastSeconds = measuredSeconds,
): Promise<MeasuredEnergy | string> {
  if (typeof meter === "string") return meter;
  const loaded = await Engine.load(file, engine);
  try {
    const { contextLength } = loaded.config;
    const promptTokens = Math.min(run.promptTokens, contextLength);
    const decodeTokens = Math.min(run.decodeTokens, contextLength - 1);
    const passes = new EngineRun(loaded, { ...run, promptTokens, decodeTokens });
    await passes.prefill();
    const idle = meter.start();
    await new Promise((resolve) => setTimeout(resolve, 1000 * leastSeconds));
    const idleWatts = idle() / leastSeconds;
    const each = async (pass: () => Promise<number>, tokens: number) => {
      const joules = meter.start();
      let count = 0;
      for (let seconds = 0; seconds < leastSeconds; count++) seconds += await pass();
      return joules() / (count * tokens);
    };
    return {
      counters: meter.names,
      idle_watts: idleWatts,
      prefill_joules_per_token: await each(() => passes.prefill(), promptTokens),
      decode_joules_per_token: await each(() => passes.decode(), decodeTokens),
    };
  } finally {
    loaded.dispose();
  }
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(bytes < 1e7 ? 3 : 1);
const count = (value: number) => value.toLocaleString("en-US");
const bits = (value: number | null) => (value === null ? "" : value.toFixed(3));

/** Three digits with a prefix, which a unit follows: `1.23 m`. */
function scaled(value: number): string {
  const prefixes: [number, string][] = [
    [1e12, " T"],
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " k"],
    [1, " "],
    [1e-3, " m"],
    [1e-6, " µ"],
    [1e-9, " n"],
  ];
  const [unit, prefix] = prefixes.find(([unit]) => value >= unit) ?? [1, " "];
  return `${(value / unit).toPrecision(3)}${prefix}`;
}

/** Of operations: `1.23 G`. */
const spaced = (value: number) => scaled(value).trimEnd();

/** The lines of the account; those of prose are to be folded. */
export function accountLines(
  file: string,
  account: FileAccount,
  energy: MeasuredEnergy | string,
): { head: string; table: string[]; prose: string[] } {
  const { types, parameters, fileBytes, headerBytes } = account;
  const memory = types.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  const row = (name: string, tensors: string, weights: number, onDisk: number, inMemory: number) => [
    name,
    tensors,
    count(weights),
    megabytes(onDisk),
    megabytes(inMemory),
    ((8 * onDisk) / weights).toFixed(3),
  ];
  const table = textTable(
    ["type", "tensors", "parameters", "file, MB", "memory, MB", "bits", "entropy", "gzip", "zeros"],
    [
      ...types.map((each) => [
        ...row(each.type, String(each.tensors), each.parameters, each.fileBytes, each.memoryBytes),
        bits(each.entropyBits),
        bits(each.gzipBits),
        each.zeroFraction === null ? "" : `${(100 * each.zeroFraction).toFixed(1)}%`,
      ]),
      [...row("all", "", parameters, fileBytes, memory), "", bits(gzipOfAll(account)), ""],
    ],
  );
  return {
    head: `${path.basename(file)}: ${count(parameters)} parameters, ${megabytes(fileBytes)} MB, ${megabytes(headerBytes)} of them metadata`,
    table,
    prose: [
      "bits, entropy and gzip are bits of a weight: as stored (scales of blocks included), by the order-0 entropy of the " +
        "codes, and as gzip leaves them (codes five to a byte where they are ternary). Memory is that of the engine, where activations are int8.",
      ...costLines(account),
      typeof energy === "string"
        ? `energy not measured: ${energy}`
        : `measured (${energy.counters}): ${scaled(energy.prefill_joules_per_token)}J a token of a prompt, ` +
          `${scaled(energy.decode_joules_per_token)}J a drawn one; the machine took ${energy.idle_watts.toFixed(1)} W before`,
    ],
  };
}

function gzipOfAll({ types, parameters }: FileAccount): number {
  return types.reduce((sum, type) => sum + type.gzipBits * type.parameters, 0) / parameters;
}

function costLines({ shape, headWeights }: FileAccount): string[] {
  if (shape === null) return [];
  const { int8Additions, fp16Additions, fp16Multiplications } = arithmeticOperations(shape);
  const perToken = (operations: number) => spaced(operations / energyTokens);
  const int8 = int8Additions > 0 ? `${perToken(int8Additions)} additions of int8, ` : "";
  return [
    `a token, mean of ${energyTokens} (arXiv 2504.12285): ${int8}${perToken(fp16Additions)} additions and ` +
      `${perToken(fp16Multiplications)} multiplications of FP16; ${scaled(arithmeticEnergy(shape) / energyTokens)}J of ` +
      `arithmetic at 7 nm. Left out, as there: memory traffic, embedding, and the head's ${spaced(headWeights)} products.`,
  ];
}

export function accountJson(file: string, account: FileAccount, energy: MeasuredEnergy | string) {
  const { shape } = account;
  return {
    model: file,
    file_bytes: account.fileBytes,
    header_bytes: account.headerBytes,
    parameters: account.parameters,
    types: account.types.map((each) => ({
      type: each.type,
      tensors: each.tensors,
      parameters: each.parameters,
      file_bytes: each.fileBytes,
      memory_bytes: each.memoryBytes,
      entropy_bits: each.entropyBits,
      gzip_bits: each.gzipBits,
      zero_fraction: each.zeroFraction,
    })),
    per_token: shape && {
      of_tokens: energyTokens,
      int8_additions: arithmeticOperations(shape).int8Additions / energyTokens,
      fp16_additions: arithmeticOperations(shape).fp16Additions / energyTokens,
      fp16_multiplications: arithmeticOperations(shape).fp16Multiplications / energyTokens,
      arithmetic_joules: arithmeticEnergy(shape) / energyTokens,
      head_products_left_out: account.headWeights,
    },
    measured_energy: typeof energy === "string" ? null : energy,
    energy_remark: typeof energy === "string" ? energy : null,
  };
}
