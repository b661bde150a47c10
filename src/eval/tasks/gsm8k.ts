/** GSM8K (Cobbe et al., 2021): word problems; the model writes the working and ends it with `#### answer`. */
import { z } from "zod";
import { checkDocument, fillTemplate, type GenerationTask } from "../task.ts";

const schema = z.object({ question: z.string(), answer: z.string() });

const prompt = { doc_to_text: "Question: {{question}}\nAnswer:", doc_to_target: "{{answer}}" };

export const gsm8k: GenerationTask = {
  name: "gsm8k",
  version: 3,
  source: "lm_eval 0.4.13, tasks/gsm8k/gsm8k.yaml",
  dataset: { path: "openai/gsm8k", config: "main" },
  outputType: "generate_until",
  splits: { training: "train", test: "test", fewshot: "train" },
  numFewshot: 5,
  prompt,
  generation: { until: ["Question:", "</s>", "<|im_end|>"], do_sample: false, temperature: 0 },
  filters: [
    { name: "strict-match", pattern: /#### (-?[0-9.,]+)/g, select: "first" },
    { name: "flexible-extract", pattern: /(-?[$0-9.,]{2,})|(-?[0-9]+)/g, select: "last" },
  ],
  // Python's `$` also matches before a newline at the end.
  ignored: [/,/g, /\$/g, /.*#### /gs, /\.(?=\n?$)/g],
  read(document) {
    const { question, answer } = checkDocument(schema, document);
    return { text: fillTemplate(prompt.doc_to_text, { question }), target: answer };
  },
};
