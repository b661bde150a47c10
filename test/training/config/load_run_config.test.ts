import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { resolveModelConfig } from "../../../src/config/model_config.ts";
import { packingWarnings } from "../../../src/config/packing_rules.ts";
import { recipeNames, recipePath } from "../../../src/config/recipes.ts";
import { differingKeys } from "../../../training/config/differing_keys.ts";
import {
  formatRunConfig,
  loadRunConfig,
  parseRunConfig,
  resolveConfigPath,
} from "../../../training/config/load_run_config.ts";
import { parseOverride } from "../../../training/config/overrides.ts";
import { schedules } from "../../../training/schedules/registry.ts";
import { problems, leastRecipe as text } from "./least_recipe.ts";

const scheduleTypes = schedules.map(({ schema }) => schema.shape.type.value);

describe("parseRunConfig", () => {
  it("fills in the defaults of every section", () => {
    const config = parseRunConfig(text, "my.yaml");
    expect(config.tokenizer.type).toBe("byte");
    expect(config.optimizer).toMatchObject({ type: "adamw", beta1: 0.9, beta2: 0.95, weight_decay: 0.1 });
    expect(config.schedule).toMatchObject({ type: "two_stage", stage2_start: 0.5, stage2_weight_decay: 0 });
    expect(config.training).toMatchObject({ max_grad_norm: 1, gradient_accumulation_steps: 1, seed: 0 });
  });

  it("names an unknown key, its line and the nearest valid one", () => {
    expect(problems(`${text}  eval_evry: 5\n`)).toEqual([
      "my.yaml:8: unknown key training.eval_evry; the nearest valid key is training.eval_every",
    ]);
  });

  it("points at the section that a key belongs to", () => {
    expect(problems(`${text}  learning_rate: 5\n`)[0]).toContain("the nearest valid key is optimizer.learning_rate");
    expect(problems(`${text}max_steps: 5\n`)[0]).toContain("the nearest valid key is training.max_steps");
    expect(problems(`${text}optimiser: {}\n`)[0]).toContain("the nearest valid key is optimizer");
  });

  it("reports every wrong type, one line each", () => {
    const lines = problems(text.replace("256", "big").replace("max_steps: 10", "max_steps: 1.5"));
    expect(lines).toEqual([
      'my.yaml:2: model.hidden_size: expected a number, got "big"',
      "my.yaml:7: training.max_steps: expected a whole number, got 1.5",
    ]);
  });

  it("reports choices, bounds and missing keys", () => {
    expect(problems(text, "schedule.type=lineal")).toEqual([
      `--set: schedule.type: expected ${scheduleTypes.join(", ")}; got "lineal"`,
    ]);
    expect(problems(text, "optimizer.learning_rate=0")).toEqual([
      "--set: optimizer.learning_rate: must be more than 0, got 0",
    ]);
    expect(problems(text.replace("  max_steps: 10\n", "  seed: 1\n"))).toEqual([
      "my.yaml: training.max_steps is missing",
    ]);
    expect(problems(text, "data.sources=3")).toEqual([
      "--set: data.sources: expected a text or a list of texts, got 3",
    ]);
  });

  it("gives file, line and column of invalid YAML", () => {
    expect(problems("model: {hidden_size: 256\ntraining: [")[0]).toMatch(/^my\.yaml:\d+:\d+: invalid YAML: /);
  });

  it("checks rules between keys", () => {
    expect(problems(text, "model.num_key_value_heads=3")[0]).toContain("must divide num_attention_heads");
    expect(problems(text, "model.max_position_embeddings=128")[0]).toContain("max_position_embeddings (128)");
    expect(problems(text, "tokenizer.type=file")[0]).toContain("tokenizer.path is missing");
  });

  it("refuses a shape that no ternary type can pack, unless told to", () => {
    const [line, ...rest] = problems(text, "model.hidden_size=200");
    expect(rest).toEqual([]);
    expect(line).toMatch(/^--set: model: .*hidden_size \(200\).*multiples of 64.*allow_unpackable/);
    expect(problems(text, "model.hidden_size=200", "training.allow_unpackable=true")).toEqual([]);
    expect(problems(text, "model.hidden_size=200", "model.weight_quantizer=none")).toEqual([]);
  });

  it("int8 backward products need both quantizers", () => {
    const int8 = "training.backward_precision=int8";
    expect(problems(text, int8)).toEqual([]);
    expect(problems(text, int8, "model.activation_quantizer=none").join()).toMatch(/backward_precision: int8 needs/);
  });

  it("warns of the types that cannot pack a shape which another one can", () => {
    const config = parseRunConfig(text, "my.yaml", [parseOverride("model.hidden_size=384")]);
    const warnings = packingWarnings(resolveModelConfig(config.model));
    expect(warnings.map((line) => line.split(" ")[0])).toEqual(expect.arrayContaining(["tq2_0", "tq1_0"]));
    expect(packingWarnings(resolveModelConfig(parseRunConfig(text, "my.yaml").model))).toEqual([]);
  });

  it("refuses row scales that no type of codes holds, and says so of the one that holds none", () => {
    const rows = "model.weight_quantizer=absmean_ternary_row";
    const config = parseRunConfig(text, "my.yaml", [parseOverride(rows)]);
    expect(packingWarnings(resolveModelConfig(config.model))).toEqual([
      expect.stringMatching(
        /^i2_s stores one scale per matrix, and absmean_ternary_row has one per row: use --type tq2_0 or tq1_0 or .*f32,/,
      ),
    ]);
    expect(problems(text, rows, "model.scale_dtype=f32")).toEqual([
      expect.stringMatching(/model: tq2_0 stores float16 scales.*use --type .*f32, .*allow_unpackable/),
    ]);
    expect(problems(text, rows, "model.hidden_size=416")).toEqual([
      expect.stringMatching(/model: q2_0 packs rows in blocks of 64 weights.*use --type f16 or f32/),
    ]);
    // Nothing need pack what is multiplied as values.
    const values = "model.weight_quantizer={type: absmean_ternary_group, product: values}";
    expect(problems(text, values, "model.scale_dtype=f32")).toEqual([]);
  });

  it("applies overrides with YAML types, later ones last", () => {
    const config = parseRunConfig(
      text,
      "my.yaml",
      ["training.seed=3", "training.seed=4", "data.sources=[a.txt, b.txt]", "model.use_sub_norms=false"].map(
        parseOverride,
      ),
    );
    expect(config.training.seed).toBe(4);
    expect(config.data.sources).toEqual(["a.txt", "b.txt"]);
    expect(config.model.norm_placement).toBe("pre");
  });

  it("knows the placement of norms by its earlier name, and refuses what no graph has", () => {
    const placement = (...set: string[]) =>
      parseRunConfig(text, "my.yaml", set.map(parseOverride)).model.norm_placement;
    expect(placement()).toBe("sub");
    expect(placement("model.use_sub_norms=true", "model.norm_placement=sub")).toBe("sub");
    expect(placement("model.norm_placement=every_linear")).toBe("every_linear");
    const refused = (...set: string[]) => problems(text, ...set)[0];
    expect(refused("model.use_sub_norms=true", "model.norm_placement=pre")).toContain(
      "use_sub_norms: true contradicts norm_placement: pre; leave use_sub_norms out",
    );
    expect(refused("model.feed_forward=mlp", "model.hidden_act=silu")).toContain(
      "mlp needs hidden_act: relu2, not silu",
    );
    expect(refused("model.use_hadamard=true", "model.intermediate_size=513")).toContain(
      "even intermediate_size, not 513",
    );
  });

  it("takes an empty section as one without keys", () => {
    expect(parseRunConfig(`${text}optimizer:\n`, "my.yaml").optimizer).toMatchObject({ type: "adamw", beta1: 0.9 });
    expect(problems(`${text}model:\n`)[0]).toMatch(/invalid YAML/);
  });

  it("survives a round trip through YAML", () => {
    const config = parseRunConfig(text, "my.yaml", [parseOverride("training.sample_prompt='a: b # c'")]);
    expect(parseRunConfig(formatRunConfig(config), "config.yaml")).toEqual(config);
  });
});

describe("differingKeys", () => {
  const before = parseRunConfig(text, "a");
  const differences = (ignored: string[], ...sets: string[]) =>
    differingKeys(before, parseRunConfig(text, "a", sets.map(parseOverride)), new Set(ignored));

  it("names keys and both values, except the ignored ones", () => {
    expect(differences(["training.log_every"], "training.seed=7", "training.log_every=1")).toEqual([
      "training.seed (0, now 7)",
    ]);
  });

  it("a section's name ignores all of it", () => {
    const sets = ["schedule.type=constant", "optimizer.beta1=0.8"];
    expect(differences([], ...sets)).toContain('schedule.type ("two_stage", now "constant")');
    expect(differences([], ...sets)).toContain("schedule.stage2_start (0.5, now unset)");
    expect(differences(["schedule"], ...sets)).toEqual(["optimizer.beta1 (0.9, now 0.8)"]);
  });
});

describe("recipes", () => {
  it.each(recipeNames())("%s is valid, and its rows are multiples of 256", (name) => {
    const { model } = loadRunConfig(resolveConfigPath(name));
    const headDim = model.head_dim ?? model.hidden_size / model.num_attention_heads;
    for (const width of [model.hidden_size, model.intermediate_size, headDim * model.num_attention_heads]) {
      expect(width % 256).toBe(0);
    }
  });

  it("are found with and without .yaml; a wrong name lists them", () => {
    expect(recipePath("small")).toBe(recipePath("small.yaml"));
    expect(() => resolveConfigPath("smal.yaml")).toThrow(/no such file or recipe.*small\.yaml.*nearest: small\.yaml/);
  });

  it("a path wins over a recipe's name, a directory is refused", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "recipes-"));
    writeFileSync(path.join(folder, "x.yaml"), text);
    expect(resolveConfigPath(path.join(folder, "x.yaml"))).toBe(path.join(folder, "x.yaml"));
    expect(() => resolveConfigPath(folder)).toThrow(/is a directory/);
  });
});
