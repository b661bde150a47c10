/**
 * Tasks on the generated world (`eval/world`): the definitions of arc_easy, piqa and gsm8k on held-out questions that a
 * model trained on the world's text can answer, without examples in the prompt.
 */
import type { GenerationTask, MultipleChoiceTask } from "../task.ts";
import { arcEasy } from "./arc.ts";
import { gsm8k } from "./gsm8k.ts";
import { piqa } from "./piqa.ts";

const generated = {
  version: 1,
  dataset: null,
  splits: { training: "train", test: "test" },
  numFewshot: 0,
};

export const toyArc: MultipleChoiceTask = {
  ...arcEasy,
  ...generated,
  name: "toy_arc",
  source: "bitnet-lab's generated world, asked as arc_easy",
};

export const toyPiqa: MultipleChoiceTask = {
  ...piqa,
  ...generated,
  name: "toy_piqa",
  source: "bitnet-lab's generated world, asked as piqa",
};

export const toyGsm8k: GenerationTask = {
  ...gsm8k,
  ...generated,
  name: "toy_gsm8k",
  // Enough for two steps and the answer in single bytes, and room for the question in a context of 256.
  generation: { ...gsm8k.generation, max_gen_toks: 96 },
  source: "bitnet-lab's generated world, asked as gsm8k",
};
