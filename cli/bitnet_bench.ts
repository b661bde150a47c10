/** `bitnet-bench`: prefill and decode speed of a GGUF file, as llama-bench measures it; see `--help`. */
import path from "node:path";
import {
  type BenchmarkResult,
  benchmarkEngine,
  firstPromptTokens,
  type Samples,
  type ThreadResult,
} from "../native/inference/benchmark.ts";
import { counted } from "../src/errors/counted.ts";
import { textTable } from "../src/eval/report/text_table.ts";
import { defaultThreads } from "../src/machine/threads.ts";
import { checkInteger, defineCommand, UsageError } from "./command.ts";
import { checkThreadFlags } from "./compute_flags.ts";
import { engineFlags, engineOptions } from "./engine_flags.ts";
import { variantHelp } from "./kernel_variants.ts";
import { Progress } from "./progress.ts";
import { folded } from "./terminal/say.ts";

/** `1,2` -> [1, 2]. */
function threadList(text: string): number[] {
  const list = text.split(",").map(Number);
  if (list.some((count) => !Number.isInteger(count) || count < 1)) {
    throw new UsageError(`--threads must be numbers from 1 with commas between them, not ${text}`);
  }
  checkThreadFlags(list);
  return list;
}

type AccountFlags = Parameters<typeof engineOptions>[0] & {
  threads?: string;
  "prompt-tokens": number;
  "decode-tokens": number;
  json: boolean;
};

const percent = (share: number | null) => (share === null ? "" : `${(100 * share).toFixed(1)}%`);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
const median = ({ median }: Samples) => median.toFixed(2);
const spread = ({ mean, deviation }: Samples) => `${mean.toFixed(2)} ± ${deviation.toFixed(2)}`;

function report(result: BenchmarkResult): string {
  const { config, prompt_tokens, decode_tokens } = result;
  const { kvType, headPrecision } = result.engine;
  const chosen = [
    ...(kvType ? [`key / value cache ${kvType}`] : []),
    ...(headPrecision ? [`head ${headPrecision}`] : []),
  ];
  const each = (seconds: (row: ThreadResult) => number) =>
    result.results.map((row) => `${seconds(row).toFixed(2)} s (${counted(row.threads, "thread")})`).join(", ");
  const facts = [
    `${path.basename(result.model)}: ${config.architecture}, ${config.weightType}, embedding ${config.embeddingType}, ` +
      `${config.parameters.toLocaleString("en-US")} parameters, ${megabytes(result.file_bytes)}`,
    [`${result.cpu}, ${config.variant}, node ${result.node}`, ...chosen].join(", "),
    `loaded in ${each(({ load_seconds }) => load_seconds)}; first token of a ${firstPromptTokens}-token prompt, loading ` +
      `included, in ${each(({ first_token_seconds }) => first_token_seconds)}; peak RSS ${megabytes(result.peak_rss_bytes)}`,
  ];
  const prefill = textTable(
    ["test", "threads", "tokens/s", "mean ± s.d.", "peak, GOP/s", "share"],
    result.results.map((row) => [
      `prefill ${prompt_tokens}`,
      String(row.threads),
      median(row.prefill_tokens_per_second),
      spread(row.prefill_tokens_per_second),
      row.int8_peak ? (row.int8_peak.median / 1e9).toFixed(0) : "",
      percent(row.prefill_share_of_int8_peak),
    ]),
  );
  const decode = textTable(
    ["test", "threads", "tokens/s", "mean ± s.d.", "read, GB/s", "share"],
    result.results.map((row) => [
      `decode ${decode_tokens}`,
      String(row.threads),
      median(row.decode_tokens_per_second),
      spread(row.decode_tokens_per_second),
      (row.read_bandwidth.median / 1e9).toFixed(1),
      percent(row.decode_share_of_read_bandwidth),
    ]),
  );
  const meaning =
    `tokens/s and shares are medians of ${result.repetitions} rounds after a warm-up. Prefill: operations of the linear ` +
    `layers over the int8 peak of the dot-product instructions. Decode: ${megabytes(config.bytesPerToken)} of weights a ` +
    "token over plain reading of memory.";
  const fold = (line: string) => folded(line, process.stdout);
  return `${facts.map(fold).join("\n")}\n\n${prefill.join("\n")}\n\n${decode.join("\n")}\n\n${fold(meaning)}`;
}

/** Reads the file, then runs it where energy can be measured. */
async function account(file: string, options: AccountFlags, signal: AbortSignal): Promise<void> {
  const { accountJson, accountLines, measureEnergy } = await import("./file_account.ts");
  const { accountForFile } = await import("../src/eval/cost/file_account.ts");
  const threads = options.threads === undefined ? defaultThreads() : threadList(options.threads)[0];
  const progress = new Progress({ lines: "none" });
  const counted = await accountForFile(file, {
    signal,
    onProgress: (bytes, of) => progress.update("reading", bytes, of),
  }).finally(() => progress.close());
  const run = { promptTokens: options["prompt-tokens"], decodeTokens: options["decode-tokens"], signal };
  const energy = await measureEnergy(file, { ...engineOptions(options), threads, signal }, run);
  if (options.json) {
    console.log(JSON.stringify(accountJson(file, counted, energy), null, 2));
    return;
  }
  const { head, table, prose } = accountLines(file, counted, energy);
  const fold = (line: string) => folded(line, process.stdout);
  console.log(`${fold(head)}\n\n${table.join("\n")}\n\n${prose.map(fold).join("\n")}`);
}

export const command = defineCommand({
  name: "bitnet-bench",
  summary:
    "Measures a GGUF file in the native engine as llama-bench does: prefill of a prompt and decoding from an empty context, beside the machine's int8 peak and memory bandwidth in the same rounds.",
  options: {
    model: { type: "string", alias: "m", demandOption: true, describe: "GGUF file" },
    threads: {
      type: "string",
      alias: "t",
      describe: "Thread counts, as in 1,2,4 [default: 1 and all CPUs that it may use]",
    },
    "prompt-tokens": { type: "number", alias: "p", default: 512, describe: "Tokens of the prefill" },
    "decode-tokens": { type: "number", alias: "n", default: 64, describe: "Tokens to decode" },
    ...engineFlags,
    repetitions: { type: "number", alias: "r", default: 5, describe: "Rounds" },
    account: {
      type: "boolean",
      default: false,
      describe:
        "Print instead what the file holds by tensor type, with entropies, and what a token costs: operations, energy by the published method, and as the processor's counters measure it",
    },
    json: { type: "boolean", default: false, describe: "Print all samples and facts as JSON" },
  },
  examples: [
    ["$0 --model model.gguf", "Prefill 512, decode 64, one thread and all"],
    ["$0 -m model.gguf -p 128 -n 128 -t 2", "As llama-bench"],
    ["$0 --model model.gguf --json > bench.json", "For scripts"],
    ["$0 --model model.gguf --account", "Bytes, bits, operations and energy"],
    [
      "bitnet-export --random bitnet-b1.58-2B-4T --out random.gguf && $0 --model random.gguf",
      "The published 2B4T's shape, with random weights",
    ],
  ],
  epilogue: () =>
    "Both median and mean ± standard deviation are printed: on a machine with other work the median is the one to quote. " +
    `A model that fits in the caches may decode faster than memory can be read. ${variantHelp()}`,
  async run(options, { signal }) {
    checkInteger("prompt-tokens", options["prompt-tokens"], 1);
    checkInteger("decode-tokens", options["decode-tokens"], 1);
    checkInteger("repetitions", options.repetitions, 1);
    if (options.account) return account(options.model, options, signal);
    const threads = options.threads === undefined ? [...new Set([1, defaultThreads()])] : threadList(options.threads);
    const progress = new Progress({ lines: "none" });
    const result = await benchmarkEngine(options.model, {
      threads,
      promptTokens: options["prompt-tokens"],
      decodeTokens: options["decode-tokens"],
      repetitions: options.repetitions,
      engine: engineOptions(options),
      signal,
      onProgress: (text, done, total) => progress.update("measuring", done, total, [text]),
    }).finally(() => progress.close());
    console.log(options.json ? JSON.stringify(result, null, 2) : report(result));
  },
});
