/** What an export says of a model's maker and training: flags before the recipe, and the metrics of the checkpoint's step. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { aboutCheckpoint } from "../../cli/export_about.ts";
import type { ExportFlags } from "../../cli/export_flags.ts";
import { aboutMetadata } from "../../export/about.ts";
import { parseRunConfig } from "../../training/config/load_run_config.ts";
import { appendRow, RunDirectory } from "../../training/run_directory.ts";
import { leastRecipe } from "../training/config/least_recipe.ts";

const folder = mkdtempSync(path.join(tmpdir(), "export-about-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A run of three logged steps, with a checkpoint at the second. */
function runWith(about: string): string {
  const run = new RunDirectory(path.join(folder, "run"));
  run.create();
  const config = parseRunConfig(`${leastRecipe}about: ${about}\n`, "my.yaml");
  run.writeConfig(config);
  run.writeEnvironment({ bitnet_lab: "0.1.0" });
  appendRow(run.metricsFile, { step: 5, tokens: 5000, loss: 5, val_loss: 5.5, bits_per_byte: 2.5 });
  appendRow(run.metricsFile, { step: 10, tokens: 10_000, loss: 4.25 });
  appendRow(run.metricsFile, { step: 15, tokens: 15_000, loss: 3, val_loss: 3.5, bits_per_byte: 2 });
  const checkpoint = path.join(run.checkpoints, "step-00000010");
  mkdirSync(checkpoint);
  writeFileSync(path.join(checkpoint, "trainer.json"), JSON.stringify({ format: 1, step: 10, config }));
  return checkpoint;
}

const metadataOf = async (checkpoint: string, flags: Partial<ExportFlags>) => {
  const { about, trainingFacts } = await aboutCheckpoint(checkpoint, flags as ExportFlags);
  return Object.fromEntries(aboutMetadata(about!, trainingFacts).map(([key, { value }]) => [key, value]));
};

test("a checkpoint of a run", async () => {
  const checkpoint = runWith("{author: Ann, license: mit, tags: [small, toy], languages: [en]}");
  expect(await metadataOf(checkpoint, { license: "apache-2.0", url: "https://example.org" })).toEqual({
    "general.author": "Ann",
    "general.license": "apache-2.0",
    "general.url": "https://example.org",
    "general.tags": ["small", "toy"],
    "general.languages": ["en"],
    "general.description":
      "Trained with bitnet-lab for 10 steps on 10,000 tokens; training loss 4.2500, validation loss 5.5000 nats per token.",
    "training.steps": 10,
    "training.tokens": 10_000,
    "training.loss": 4.25,
    "training.validation_loss": 5.5,
    "training.bits_per_byte": 2.5,
    "training.made_with": "bitnet-lab 0.1.0",
  });
});

test("a checkpoint of somebody else has what the flags say", async () => {
  expect(await metadataOf(folder, { author: "Zoe", description: "Tiny" })).toEqual({
    "general.author": "Zoe",
    "general.description": "Tiny",
  });
  expect(await metadataOf(folder, {})).toEqual({});
});
