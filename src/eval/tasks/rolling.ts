/** Perplexity of your own texts: every token of every `page` of `<data-dir>/rolling/test.jsonl` is scored once. */
import { z } from "zod";
import { checkDocument, type RollingTask } from "../task.ts";

const schema = z.object({ page: z.string() });

export const rolling: RollingTask = {
  name: "rolling",
  version: 1,
  source: "bitnet-lab, with the metrics of lm_eval 0.4.13's loglikelihood_rolling",
  dataset: null,
  outputType: "loglikelihood_rolling",
  splits: { test: "test" },
  numFewshot: 0,
  prompt: { doc_to_text: "", doc_to_target: "{{page}}" },
  read: (document) => checkDocument(schema, document).page,
};
