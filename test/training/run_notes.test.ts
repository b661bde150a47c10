/** What is told before a run, and of one that learns nothing. */
import { expect, test } from "vitest";
import { readerLines } from "../../cli/reader_lines.ts";
import { resolveModelConfig } from "../../src/config/model_config.ts";
import { parseRunConfig } from "../../training/config/load_run_config.ts";
import { parseOverride } from "../../training/config/overrides.ts";
import { watchLoss } from "../../training/loss_watch.ts";
import type { RunInputs } from "../../training/run_data.ts";
import { runNotes } from "../../training/run_notes.ts";
import { smallTokenizer } from "../export/small_model.ts";
import { leastRecipe } from "./config/least_recipe.ts";

const configOf = (...sets: string[]) => parseRunConfig(leastRecipe, "my.yaml", sets.map(parseOverride));

/** Notes of a run of 10 steps on two text files. */
function notes(sets: string[], found: { documents?: number; textFiles?: number; files?: number } = {}): string[] {
  const { documents = 100, textFiles = 2, files = 2 } = found;
  const dataset = { documents, source: { files, textFiles, description: "", remarks: [] } };
  const quiet = ["schedule.warmup_steps=5", ...sets];
  return runNotes({ config: configOf(...quiet), tokenizer: { vocabSize: 293 }, dataset } as unknown as RunInputs);
}

test.each<[string[], Parameters<typeof notes>[1], string[]]>([
  [["tokenizer.type=bpe", "tokenizer.vocab_size=293"], {}, []],
  [
    ["tokenizer.type=bpe", "tokenizer.vocab_size=10000"],
    {},
    ["the vocabulary has 293 ids, and tokenizer.vocab_size asks for 10000: no more pairs occur twice in the text"],
  ],
  [["data.document_separator=<end>"], {}, []],
  [
    ["data.document_separator=<end>"],
    { documents: 2 },
    ['data.document_separator "<end>" does not occur in any of the 2 files: each file is one document'],
  ],
  [
    ["data.document_separator=<end>"],
    { textFiles: 0 },
    ['data.document_separator "<end>" is for text files, and there is none'],
  ],
  [
    ["schedule.warmup_steps=40"],
    {},
    [
      "schedule.warmup_steps is 40, and the run has 10 steps: the learning rate rises to the end, to 25% of optimizer.learning_rate",
    ],
  ],
  [["schedule.warmup_steps=0"], {}, []],
  [
    ["optimizer.learning_rate=3"],
    {},
    ["optimizer.learning_rate is 3: models of this kind learn with 1e-4 to 1e-2, and with more often nothing"],
  ],
])("%j %j", (sets, found, expected) => {
  expect(notes(sets, found)).toEqual(expected);
});

test("the programs that will run the model, and why others will not", () => {
  const lines = (...sets: string[]) => readerLines(resolveModelConfig(configOf(...sets).model), smallTokenizer());
  const relu2 = lines();
  expect(relu2[0]).toBe("runs in   bitnet-lab, bitnet.cpp, transformers");
  expect(relu2.slice(1)).toEqual([expect.stringMatching(/^not in {4}llama\.cpp: .*train with hidden_act: silu/)]);
  expect(lines("model.hidden_act=silu")).toEqual(["runs in   bitnet-lab, llama.cpp, bitnet.cpp, transformers"]);
});

test("a loss that stays above that of guessing is told once", () => {
  const run = { vocabSize: 256, maxSteps: 1000, warmupSteps: 0, learningRate: 5 };
  const remarks = (losses: (step: number) => number, changes = {}) => {
    const watch = watchLoss({ ...run, ...changes });
    return Array.from({ length: 300 }, (_, i) => watch(i + 1, losses(i + 1))).flatMap((line, i) =>
      line === null ? [] : [[i + 1, line]],
    );
  };
  expect(remarks(() => 9)).toEqual([
    [
      50,
      "after 50 steps the loss is 9.00, more than by guessing (5.55, ln 256): the model learns nothing; optimizer.learning_rate (5) may be too high",
    ],
  ]);
  expect(remarks((step) => 5.6 - step / 100)).toEqual([]);
  // A slow warm-up stays where it is for a while.
  expect(remarks((step) => (step < 200 ? 5.6 : 4), { warmupSteps: 200 })).toEqual([]);
  expect(remarks(() => 5.6, { warmupSteps: 200 }).map(([step]) => step)).toEqual([250]);
  expect(remarks(() => 9, { maxSteps: 12 }).map(([step]) => step)).toEqual([10]);
});
