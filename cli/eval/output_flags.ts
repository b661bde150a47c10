/** Flags of `bitnet-eval` that say what is kept of a run; write_output.ts does what they say. */
import type { InferredOptionTypes, Options } from "yargs";
import { UsageError } from "../command.ts";
import type { TaskOptions } from "./task_flags.ts";

export const outputOptions = {
  output_path: { type: "string", alias: "o", describe: "Folder for results_*.json (or the name of a .json file)" },
  report: { type: "string", describe: "HTML file with a chart of the scores, chance lines and the table" },
  log_samples: { type: "boolean", alias: "s", default: false, describe: "Write samples_<task>_*.jsonl too" },
} as const satisfies Record<string, Options>;

export type OutputOptions = InferredOptionTypes<typeof outputOptions>;

/** @throws {UsageError} naming the flag. */
export function checkOutputOptions(options: OutputOptions & Partial<TaskOptions>): void {
  if (options.predict_only && options.output_path === undefined) {
    throw new UsageError("--predict_only needs --output_path");
  }
  if (options.log_samples && options.output_path === undefined) {
    throw new UsageError("--log_samples needs --output_path");
  }
}
