/**
 * Every switch of a recipe changes what is trained: the losses of a short run with it are those of no other. A list that
 * gets a new entry gets its run here by itself.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { activationQuantizers, weightQuantizers } from "../../src/quantizers/registry.ts";
import { corrections } from "../../training/corrections/registry.ts";
import { optimizers } from "../../training/optimizers/registry.ts";
import { schedules } from "../../training/schedules/registry.ts";
import { stagings } from "../../training/staging/registry.ts";
import { straightThroughs } from "../../training/straight_through/registry.ts";
import { metricsOf, prepareTinyRun, trainUntil } from "../support/tiny_run.ts";

const least = [
  "model.hidden_size=128",
  "model.intermediate_size=128",
  "data.world_documents=60",
  "training.max_steps=6",
  "training.eval_every=0",
  "training.checkpoint_every=0",
  "training.allow_unpackable=true",
  "optimizer.learning_rate=2e-2",
];

/** Options without which an entry does nothing in so few steps. */
const options: Record<string, string> = {
  float_first: "{type: float_first, fraction: 0.5}",
  lambda: "{type: lambda, fraction: 0.5}",
  levels: "{type: levels, fraction: 0.5}",
  winq: "{type: winq, every: 2}",
};

const typesOf = (entries: readonly { schema: { shape: { type: { value: string } } } }[]) =>
  entries.map(({ schema }) => schema.shape.type.value);
const each = (key: string, types: readonly string[], standard: string) =>
  types.filter((type) => type !== standard).map((type) => `${key}=${options[type] ?? type}`);

const switches: (string | string[])[] = [
  ...each(
    "model.weight_quantizer",
    weightQuantizers.map(({ name }) => name),
    "absmean_ternary",
  ),
  ...each(
    "model.activation_quantizer",
    activationQuantizers.map(({ name }) => name),
    "absmax_int8",
  ),
  ...each("quantization.staging", typesOf(stagings), "none"),
  ...each("quantization.straight_through", typesOf(straightThroughs), "identity"),
  ...each("quantization.correction", typesOf(corrections), "none"),
  ...each("optimizer.type", typesOf(optimizers), "adamw"),
  ...each("schedule.type", typesOf(schedules), "cosine").filter((set) => set !== "schedule.type=wsd"),
  ["schedule.type=wsd", "schedule.decay_fraction=0.5"],
  "model.norm_placement=pre",
  "model.norm_placement=every_linear",
  "model.feed_forward=mlp",
  "model.hidden_act=silu",
  "model.use_hadamard=true",
  "model.tie_word_embeddings=false",
  "model.scale_dtype=f32",
  "model.embedding_dtype=f32",
  "model.embedding_dtype=int8_row",
  "model.embedding_quantizer={type: absmean_ternary_group, group_size: 64}",
  "loss.reduction=sum",
  "loss.z_loss=0.01",
  "loss.cross_entropy=0.5",
  "optimizer.weight_decay=0",
  "optimizer.cautious_weight_decay=true",
  "schedule.weight_decay_until=0.3",
  "training.dropout=0.1",
  "training.max_grad_norm=0.01",
  "training.backward_precision=bf16",
  "training.backward_precision=int8",
  "training.gradient_accumulation_steps=2",
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "switches-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("no switch trains what another one does", { timeout: 120_000 }, async () => {
  const seen = new Map<string, string>();
  const alike: string[] = [];
  for (const name of ["no switch", ...switches]) {
    const run = await prepareTinyRun(folder, [...least, ...(name === "no switch" ? [] : [name].flat())]);
    const directory = path.join(folder, String(seen.size + alike.length));
    await trainUntil(run, directory);
    await run.dataset.close();
    const losses = metricsOf(directory)
      .map(({ loss }) => loss)
      .join();
    expect(losses, String(name)).toMatch(/^\d/);
    if (seen.has(losses)) alike.push(`${name} trains as ${seen.get(losses)}`);
    else seen.set(losses, String(name));
  }
  expect(alike).toEqual([]);
});
