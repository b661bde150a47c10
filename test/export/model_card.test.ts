import { expect, it } from "vitest";
import { parse } from "yaml";
import { planExport } from "../../export/export_plan.ts";
import { modelCard } from "../../export/model_card.ts";
import { smallConfig, smallTokenizer } from "./small_model.ts";

const float = {
  weight_quantizer: "none",
  activation_quantizer: "none",
  norm_placement: "pre",
  hidden_act: "silu",
} as const;

it("has the Hub's keys and the figures of the run", () => {
  const plan = planExport(smallConfig(), smallTokenizer(), {
    target: "transformers",
    name: "book: a model",
    about: { author: "Ann", license: "mit", tags: ["small", "bitnet"], languages: ["en"], url: "https://example.org" },
    trainingFacts: { steps: 3000, tokens: 1234567, loss: 2.5, validationLoss: 2.25, bitsPerByte: 1.125 },
  });
  const [, front, body] = modelCard(plan, "book-hf").split(/^---$/m);
  expect(parse(front)).toEqual({
    license: "mit",
    language: ["en"],
    library_name: "transformers",
    pipeline_tag: "text-generation",
    tags: ["bitnet", "ternary", "small"],
  });
  expect(body).toContain("# book: a model\n");
  expect(body).toContain("By Ann.\n\nMore: https://example.org\n");
  for (const row of [
    "| parameters | 1,259,264 |",
    "| linear weights | -1, 0, 1 times a scale a tensor |",
    "| their inputs | 8 bits, scaled by token |",
    "| updates | 3,000 |",
    "| tokens seen | 1,234,567 |",
    "| validation loss, nats per token | 2.2500 |",
    "| validation, bits per byte | 1.1250 |",
  ]) {
    expect(body).toContain(`${row}\n`);
  }
  expect(body).toContain('from_pretrained("book-hf")');
});

it("leaves out what is not known", () => {
  const plan = planExport(smallConfig(float), smallTokenizer(), { target: "transformers" });
  const card = modelCard(plan, "x");
  expect(card).toMatch(/^---\nlibrary_name: transformers\npipeline_tag: text-generation\n---\n\n# model\n\n\| \| \|\n/);
  expect(card).toContain("| linear weights | float |");
  expect(card).not.toMatch(/loss|updates|undefined|null/);
});
