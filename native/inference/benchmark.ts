/**
 * Speed of the native engine on a file: prefill and decode in turn, beside what the machine can do at most, measured in
 * the same rounds.
 */
import { statSync } from "node:fs";
import { counted } from "../../src/errors/counted.ts";
import { UserError } from "../../src/errors/user_error.ts";
import { thisCpuName } from "../cpu_name.ts";
import { measureInt8Peak, measureReadBandwidth } from "../machine_peaks.ts";
import { Engine, type EngineConfig, type EngineOptions } from "./engine.ts";

/** Tokens of the prompt that is timed from the start of loading. */
export const firstPromptTokens = 16;

/** What is timed. */
export interface RunOptions {
  promptTokens: number;
  decodeTokens: number;
  signal?: AbortSignal;
}

export interface BenchmarkOptions extends RunOptions {
  threads: readonly number[];
  repetitions: number;
  /** How the engine runs the file; threads are set by the benchmark. */
  engine?: Omit<EngineOptions, "threads">;
  /** Hears what is measured next, and how many of all measurements are made. */
  onProgress?: (text: string, done: number, total: number) => void;
}

/** Measured values, in the order of the rounds. */
export interface Samples {
  samples: number[];
  median: number;
  mean: number;
  /** Standard deviation of the samples (n - 1), 0 for a single one. */
  deviation: number;
}

export interface ThreadResult {
  threads: number;
  load_seconds: number;
  /** From the start of loading to the first token after a prompt of {@link firstPromptTokens}. */
  first_token_seconds: number;
  prefill_tokens_per_second: Samples;
  decode_tokens_per_second: Samples;
  /** Operations per second of 8-bit products on registers; null where the kernels have no such instructions. */
  int8_peak: Samples | null;
  /** Operations of the linear layers of the prefill over the peak; null where they are not 8-bit products. */
  prefill_share_of_int8_peak: number | null;
  /** Bytes per second of reading memory. */
  read_bandwidth: Samples;
  /** Bytes of weights that decoding reads over the bandwidth. */
  decode_share_of_read_bandwidth: number;
}

export interface BenchmarkResult {
  cpu: string;
  isa: string;
  node: string;
  model: string;
  file_bytes: number;
  config: EngineConfig;
  engine: Omit<EngineOptions, "threads">;
  prompt_tokens: number;
  decode_tokens: number;
  repetitions: number;
  /** Of this process, before the machine's limits were measured (which takes memory, too). */
  peak_rss_bytes: number;
  results: ThreadResult[];
}

/** The benchmark cannot be run on this model. */
export class BenchmarkError extends UserError {
  override name = "BenchmarkError";
}

export function summarize(samples: number[]): Samples {
  const sorted = samples.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    samples,
    median: (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2,
    mean,
    deviation: sorted.length > 1 ? Math.sqrt(squares / (sorted.length - 1)) : 0,
  };
}

/** Operations (a product and a sum are two) of all linear layers for one token. */
function linearOperations(config: EngineConfig): number {
  const { hiddenSize, numAttentionHeads, numKeyValueHeads, headDim, intermediateSize, numHiddenLayers } = config;
  const attention = (2 * numAttentionHeads + 2 * numKeyValueHeads) * headDim * hiddenSize;
  return 2 * numHiddenLayers * (attention + 3 * hiddenSize * intermediateSize);
}

/** @throws {BenchmarkError | ModelFileError} */
export async function benchmarkEngine(file: string, options: BenchmarkOptions): Promise<BenchmarkResult> {
  const fileBytes = statSync(file).size;
  const results: ThreadResult[] = [];
  let facts: Pick<BenchmarkResult, "config" | "peak_rss_bytes"> | undefined;
  for (const [i, threads] of options.threads.entries()) {
    const tell = progressOf(options, threads, i);
    tell("loading", 0);
    const start = performance.now();
    const engine = await Engine.load(file, { ...options.engine, threads, signal: options.signal });
    const loadSeconds = (performance.now() - start) / 1000;
    try {
      const { config } = engine;
      checkContext(config, options);
      const run = new EngineRun(engine, options);
      await run.firstToken();
      const firstTokenSeconds = (performance.now() - start) / 1000;
      tell("warming up", 1);
      await run.prefill();
      await run.decode();
      // The kernel counts in KiB.
      facts ??= { config, peak_rss_bytes: process.resourceUsage().maxRSS * 1024 };
      const rounds = await measureRounds(run, config, options, (round) =>
        tell(`round ${round} of ${options.repetitions}`, 1 + round),
      );
      results.push({ threads, load_seconds: loadSeconds, first_token_seconds: firstTokenSeconds, ...rounds });
    } finally {
      engine.dispose();
    }
  }
  return {
    cpu: thisCpuName(),
    isa: facts!.config.variant,
    node: process.version,
    model: file,
    file_bytes: fileBytes,
    config: facts!.config,
    engine: options.engine ?? {},
    prompt_tokens: options.promptTokens,
    decode_tokens: options.decodeTokens,
    repetitions: options.repetitions,
    peak_rss_bytes: facts!.peak_rss_bytes,
    results,
  };
}

/** Loading, the warm-up and each round count as one measurement. */
function progressOf({ threads, repetitions, onProgress }: BenchmarkOptions, count: number, index: number) {
  const each = 2 + repetitions;
  const name = counted(count, "thread");
  return (text: string, done: number) => onProgress?.(`${name}: ${text}`, index * each + done, threads.length * each);
}

function longestContext({ promptTokens, decodeTokens }: RunOptions): number {
  return Math.max(promptTokens, decodeTokens + 1, firstPromptTokens);
}

function checkContext({ contextLength }: EngineConfig, options: BenchmarkOptions): void {
  const longest = longestContext(options);
  if (longest > contextLength) {
    throw new BenchmarkError(`${longest} positions are needed, the model's context has ${contextLength}`);
  }
}

/** Everything in turn, so that a neighbour who takes the memory or the clock is seen by all. */
async function measureRounds(
  run: EngineRun,
  config: EngineConfig,
  options: BenchmarkOptions,
  onRound: (round: number) => void,
): Promise<Omit<ThreadResult, "threads" | "load_seconds" | "first_token_seconds">> {
  const { threads, integerProducts: integer } = config;
  const times = { prefill: [] as number[], decode: [] as number[], peak: [] as number[], bandwidth: [] as number[] };
  for (let round = 1; round <= options.repetitions; round++) {
    onRound(round);
    times.prefill.push(options.promptTokens / (await run.prefill()));
    const peak = integer ? await measureInt8Peak(threads) : null;
    if (peak !== null) times.peak.push(peak);
    times.decode.push(options.decodeTokens / (await run.decode()));
    times.bandwidth.push(await measureReadBandwidth(threads));
    options.signal?.throwIfAborted();
  }
  const [prefill, decode, bandwidth] = [times.prefill, times.decode, times.bandwidth].map(summarize);
  const peak = times.peak.length > 0 ? summarize(times.peak) : null;
  return {
    prefill_tokens_per_second: prefill,
    decode_tokens_per_second: decode,
    int8_peak: peak,
    prefill_share_of_int8_peak: peak && (prefill.median * linearOperations(config)) / peak.median,
    read_bandwidth: bandwidth,
    decode_share_of_read_bandwidth: (decode.median * config.bytesPerToken) / bandwidth.median,
  };
}

/** The two things that are timed, each from an empty context. */
export class EngineRun {
  readonly #options: RunOptions;
  readonly #session: ReturnType<Engine["createSession"]>;
  readonly #prompt: Int32Array;

  constructor(engine: Engine, options: RunOptions) {
    this.#options = options;
    const { vocabSize, contextLength } = engine.config;
    const capacity = Math.min(contextLength, longestContext(options));
    this.#session = engine.createSession({ capacity });
    this.#prompt = Int32Array.from({ length: capacity }, (_, i) => (i * 7919) % vocabSize);
  }

  /** Draws the first token after a short prompt. */
  async firstToken(): Promise<void> {
    const ids = this.#prompt.subarray(0, firstPromptTokens);
    await this.#session.advance([{ slot: 0, ids }], 1, { signal: this.#options.signal });
  }

  /** Seconds for the whole prompt, the logits after it included. */
  async prefill(): Promise<number> {
    const { signal, promptTokens } = this.#options;
    await this.#session.truncate(0);
    return seconds(() => this.#session.prefill(this.#prompt.subarray(0, promptTokens), { signal }));
  }

  /** Seconds for drawing tokens one by one, greedily, after a first one. */
  async decode(): Promise<number> {
    const { signal, decodeTokens } = this.#options;
    await this.#session.truncate(0);
    const [[first]] = await this.#session.advance([{ slot: 0, ids: [1] }], 1, { signal });
    return seconds(() => this.#session.advance([{ slot: 0, ids: [first] }], decodeTokens, { signal }));
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
