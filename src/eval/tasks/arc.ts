/** AI2 ARC (Clark et al., 2018): science questions with three to five choices; the answer's text is scored. */
import { z } from "zod";
import { checkDocument, DocumentError, fillTemplate, type JsonObject, type MultipleChoiceTask } from "../task.ts";

const schema = z.object({
  question: z.string(),
  choices: z.object({ text: z.array(z.string()).min(1), label: z.array(z.string()) }),
  answerKey: z.string(),
});

const prompt = {
  doc_to_text: "Question: {{question}}\nAnswer:",
  doc_to_target: "{{choices.label.index(answerKey)}}",
  doc_to_choice: "{{choices.text}}",
};

function read(document: JsonObject) {
  const { question, choices, answerKey } = checkDocument(schema, document);
  const gold = choices.label.indexOf(answerKey);
  if (gold < 0 || gold >= choices.text.length) {
    throw new DocumentError(`answerKey "${answerKey}" is not one of its choices (${choices.label.join(", ")})`);
  }
  return { text: fillTemplate(prompt.doc_to_text, { question }), choices: choices.text, gold };
}

export const arcEasy: MultipleChoiceTask = {
  name: "arc_easy",
  version: 1,
  source: "lm_eval 0.4.13, tasks/arc/arc_easy.yaml",
  dataset: { path: "allenai/ai2_arc", config: "ARC-Easy" },
  outputType: "multiple_choice",
  splits: { training: "train", validation: "validation", test: "test" },
  numFewshot: 0,
  prompt,
  read,
};

export const arcChallenge: MultipleChoiceTask = {
  ...arcEasy,
  name: "arc_challenge",
  source: "lm_eval 0.4.13, tasks/arc/arc_challenge.yaml",
  dataset: { path: "allenai/ai2_arc", config: "ARC-Challenge" },
};
