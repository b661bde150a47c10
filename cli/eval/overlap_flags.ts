/** Flags of `bitnet-eval --check_overlap`; the check itself is loaded only when it is asked for. */
import type { InferredOptionTypes, Options } from "yargs";

export const overlapOptions = {
  check_overlap: {
    type: "string",
    array: true,
    describe:
      "Training corpus: text, JSONL, Parquet files, folders, patterns, a run directory or tokenized shards; reports " +
      "the task documents that share 13 successive words with it, and the scores without them",
  },
  overlap_field: { type: "string", default: "text", describe: "Field or column with the text of the corpus" },
  overlap_tokenizer: {
    type: "string",
    describe: "tokenizer.json that tokenized shards were made with, or owner/name on the Hub",
  },
} as const satisfies Record<string, Options>;

export type OverlapOptions = InferredOptionTypes<typeof overlapOptions>;
