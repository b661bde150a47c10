/** PIQA (Bisk et al., 2020): which of two solutions reaches a goal. Scored on the validation split. */
import { z } from "zod";
import { checkDocument, fillTemplate, type MultipleChoiceTask } from "../task.ts";

const schema = z.object({ goal: z.string(), sol1: z.string(), sol2: z.string(), label: z.int().min(0).max(1) });

const prompt = {
  doc_to_text: "Question: {{goal}}\nAnswer:",
  doc_to_target: "label",
  doc_to_choice: "{{[sol1, sol2]}}",
};

export const piqa: MultipleChoiceTask = {
  name: "piqa",
  version: 1,
  source: "lm_eval 0.4.13, tasks/piqa/piqa.yaml",
  dataset: { path: "baber/piqa", config: null },
  outputType: "multiple_choice",
  splits: { training: "train", validation: "validation" },
  numFewshot: 0,
  prompt,
  read(document) {
    const { goal, sol1, sol2, label } = checkDocument(schema, document);
    return { text: fillTemplate(prompt.doc_to_text, { goal }), choices: [sol1, sol2], gold: label };
  },
};
