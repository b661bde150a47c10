/** Flags of `bitnet-eval --text`; score_files.ts does what they say. */
import type { InferredOptionTypes, Options } from "yargs";

export const textOptions = {
  text: {
    type: "string",
    array: true,
    describe: "Perplexity and bits per byte of texts, instead of tasks: files, folders, patterns or Hub data sets",
  },
  stride: {
    type: "number",
    describe:
      "With --text: tokens that a window scores; fewer give each token more context [default: the window's size]",
  },
  context: { type: "number", describe: "With --text: positions of a window [default: the model's context]" },
  text_field: {
    type: "string",
    default: "text",
    describe: "With --text: field or column with the text, in files of rows",
  },
} as const satisfies Record<string, Options>;

export type TextFlags = InferredOptionTypes<typeof textOptions>;
