/** Names of other trainers lead to keys that exist, and a typing mistake is told apart from them. */
import { expect, test } from "vitest";
import { command as evalCommand } from "../../cli/bitnet_eval.ts";
import { command as trainCommand } from "../../cli/bitnet_train.ts";
import { canonicalFlags } from "../../cli/command.ts";
import { synonymKeys, synonymOf } from "../../src/config/key_synonyms.ts";
import { keysOf, sectionsAt } from "../../src/config/schema_tree.ts";
import { runConfigSchema } from "../../training/config/run_config.ts";
import { leastRecipe, problems } from "../training/config/least_recipe.ts";

test.each(synonymKeys)("%s is a key", (key) => {
  const [section, name] = key.split(".");
  expect(keysOf(sectionsAt(runConfigSchema, [section]))).toContain(name);
  // No other name shadows a key of ours.
  expect(synonymOf(name)?.key ?? key).toBe(key);
});

test.each([
  ["training.lr=1e-3", "unknown key training.lr: it is called optimizer.learning_rate here"],
  ["optimizer.lr=1e-3", "unknown key optimizer.lr: it is called optimizer.learning_rate here"],
  ["model.n_layer=2", "unknown key model.n_layer: it is called model.num_hidden_layers here"],
  ["model.d_model=2", "unknown key model.d_model: it is called model.hidden_size here"],
  ["training.block_size=2", "unknown key training.block_size: it is called training.sequence_length here"],
  ["training.warmup=2", "unknown key training.warmup: it is called schedule.warmup_steps here"],
  [
    "training.num_train_epochs=2",
    "unknown key training.num_train_epochs: a run is as long as its training.max_steps, and",
  ],
  ["training.device=cuda", "unknown key training.device: training runs on the CPU, with --backend and --threads"],
  ["training.batch=2", "unknown key training.batch; the nearest valid key is training.batch_size"],
  ["training.per-device-train-batch-size=2", "it is called training.batch_size here"],
  ["training.beta_1=0.9", "unknown key training.beta_1; the nearest valid key is optimizer.beta1"],
  ["schedule.warmup_step=2", "unknown key schedule.warmup_step; the nearest valid key is schedule.warmup_steps"],
  ["data.colour=2", "unknown key data.colour; its keys are sources, text_field"],
  ["model.dropout=0.1", "unknown key model.dropout; the nearest valid key is training.dropout"],
  ["model.attention_dropout=0.1", "unknown key model.attention_dropout: attention has no dropout of its own"],
  ["training.teacher=runs/a", "unknown key training.teacher: it is called loss.distillation.teacher here"],
  ["data.path=book.txt", "unknown key data.path: it is called data.sources here"],
  ["model.type=llama", "unknown key model.type: a model is what its keys make it"],
  ["training.optimizer=adamw", "unknown key training.optimizer: optimizer is a section of its own, beside training"],
  ["zebra.x=2", "unknown key zebra; the sections are model, tokenizer"],
])("--set %s", (set, line) => {
  const [problem] = problems(leastRecipe, set);
  expect(problem).toMatch(/^--set: unknown key /);
  expect(problem).toContain(line);
});

test.each([
  ["lr=1e-3", "--set lr=1e-3: expected section.key=value, here optimizer.learning_rate=1e-3"],
  ["max_steps=5", "--set max_steps=5: expected section.key=value, here training.max_steps=5"],
  ["vocab_size=9", "expected section.key=value, here model.vocab_size=9 or tokenizer.vocab_size=9"],
  ["device=cuda", "expected section.key=value, training runs on the CPU, with --backend and --threads"],
  ["zebra=5", "--set zebra=5: expected section.key=value, for example training.max_steps=500"],
])("--set %s has no section", (set, line) => {
  expect(problems(leastRecipe, set)[0]).toContain(line);
});

test("rules that the command line breaks name it, others the file", () => {
  const rule = (origin: string) =>
    `${origin}: training.sequence_length (300) is more than model.max_position_embeddings`;
  expect(problems(leastRecipe, "training.sequence_length=300", "model.max_position_embeddings=128")[0]).toContain(
    rule("--set"),
  );
  const written = leastRecipe
    .replace("training:\n", "training:\n  sequence_length: 300\n")
    .replace("model:\n", "model:\n  max_position_embeddings: 128\n");
  expect(problems(written, "training.seed=3")[0]).toContain(rule("my.yaml"));
});

test.each([
  ["--lr=3", "unknown flag --lr: set it with --set optimizer.learning_rate=VALUE"],
  ["--max_steps=3", "unknown flag --max_steps: set it with --set training.max_steps=VALUE"],
  ["--epochs", "unknown flag --epochs: a run is as long as its training.max_steps"],
  ["--output-dir", "unknown flag --output-dir: give --out on the command line"],
  ["--dataset", "unknown flag --dataset: name the data with --data"],
  ["--device", "unknown flag --device: training runs on the CPU"],
  ["--resum", "unknown flag --resum; the nearest is --resume"],
  ["--zebra", /unknown flag --zebra$/],
])("bitnet-train %s", (flag, message) => {
  expect(() => canonicalFlags([flag], trainCommand.options, trainCommand.advice)).toThrow(message);
});

test("bitnet-eval --batch_size auto", () => {
  expect(() => canonicalFlags(["--batch_size", "auto"], evalCommand.options, evalCommand.advice)).toThrow(
    "unknown flag --batch_size: batches are chosen by length: leave it out",
  );
});
