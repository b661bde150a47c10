/** Sections of several types (optimizer, schedule): whose keys they are, overrides, and configurations saved before. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { upgradeSavedConfig } from "../../../training/config/earlier_configs.ts";
import { formatRunConfig, loadRunConfig, parseRunConfig } from "../../../training/config/load_run_config.ts";
import { parseOverride } from "../../../training/config/overrides.ts";
import { problems, leastRecipe as text } from "./least_recipe.ts";

describe("a section with a type", () => {
  it("has the default one where none is said, and that one's keys only", () => {
    const { schedule, optimizer } = parseRunConfig(`${text}schedule: {stage2_start: 0.7}\n`, "my.yaml");
    expect(schedule).toEqual({
      type: "two_stage",
      warmup_steps: 0,
      min_ratio: 0,
      weight_decay_until: 1,
      stage2_start: 0.7,
      stage2_weight_decay: 0,
      decay: "linear",
    });
    expect(optimizer.type).toBe("adamw");
    const cosine = parseRunConfig(`${text}schedule: {type: cosine}\n`, "my.yaml").schedule;
    expect(cosine).toEqual({ type: "cosine", warmup_steps: 0, min_ratio: 0, weight_decay_until: 1 });
  });

  it("may be a name alone, at any depth", () => {
    expect(parseRunConfig(`${text}optimizer: muon\n`, "my.yaml")).toEqual(
      parseRunConfig(`${text}optimizer: {type: muon}\n`, "my.yaml"),
    );
    const { staging } = parseRunConfig(`${text}quantization: {staging: float_first}\n`, "my.yaml").quantization;
    expect(staging).toEqual({ type: "float_first", fraction: 0.2, optimizer: "keep" });
    expect(problems(text, "optimizer=muo")[0]).toMatch(/^--set optimizer=muo: expected section\.key=value/);
    expect(problems(`${text}optimizer: muo\n`)[0]).toMatch(
      /^my\.yaml:8: optimizer\.type: expected adamw, .*; got "muo"$/,
    );
  });

  it("says which type a key belongs to", () => {
    expect(problems(`${text}schedule:\n  type: cosine\n  stage2_start: 0.7\n`)).toEqual([
      "my.yaml:10: schedule.stage2_start is a key of type two_stage, not of cosine",
    ]);
    expect(problems(text, "schedule.type=constant", "schedule.min_ratio=0.1")).toEqual([
      "--set: schedule.min_ratio is a key of type two_stage, wsd, cosine, linear, not of constant",
    ]);
  });

  it("names the nearest key, of whatever type", () => {
    expect(problems(text, "schedule.warmup_step=3")).toEqual([
      "--set: unknown key schedule.warmup_step; the nearest valid key is schedule.warmup_steps",
    ]);
    expect(problems(text, "schedule.beta1=3")[0]).toContain("the nearest valid key is optimizer.beta1");
    expect(problems(`${text}schedule: {typ: cosine}\n`)[0]).toContain("the nearest valid key is schedule.type");
  });

  it("names the types, and what is no section", () => {
    expect(problems(text, "optimizer.type=sgd")[0]).toMatch(/^--set: optimizer\.type: expected adamw\b.*; got "sgd"$/);
    expect(problems(`${text}optimizer: 3\n`)).toEqual(["my.yaml:8: optimizer: expected a section, got 3"]);
  });
});

describe("--set", () => {
  it("refuses what is no section.key=value", () => {
    for (const bad of ["max_steps=3", "training.max_steps", "training.=3", "a..b=1"]) {
      expect(() => parseOverride(bad)).toThrow(/expected section\.key=value/);
    }
  });

  it("takes keys of any depth, and points at itself where the key cannot be", () => {
    expect(parseOverride("model.weight_quantizer.group_size=128")).toEqual({
      path: ["model", "weight_quantizer", "group_size"],
      value: 128,
      origin: "--set",
    });
    expect(problems(text, "training.max_steps.more=3")).toEqual([
      "--set: training.max_steps: expected a number, got a section",
    ]);
  });

  it("leaves the keys of the old type behind where it changes a type", () => {
    const cosine = `${text}schedule: {type: cosine, warmup_steps: 3, min_ratio: 0.1}\n`;
    const { schedule } = parseRunConfig(cosine, "my.yaml", [parseOverride("schedule.type=constant")]);
    expect(schedule).toEqual({ type: "constant", warmup_steps: 3, weight_decay_until: 1 });
    // What nobody has is a mistake all the same.
    expect(problems(cosine.replace("min_ratio", "min_ration"), "schedule.type=linear")[0]).toContain("min_ration");
  });
});

describe("a configuration that a run of before saved", () => {
  const file = path.resolve(import.meta.dirname, "../../golden/run_config/linear_of_before.yaml");
  const saved = () => parse(readFileSync(file, "utf8"));

  it("loads without the keys that its type does not have, and is saved without them", () => {
    const config = loadRunConfig(file);
    expect(config.schedule).toEqual({ type: "linear", warmup_steps: 50, min_ratio: 0.02, weight_decay_until: 1 });
    expect(config.optimizer).toEqual({ ...saved().optimizer, cautious_weight_decay: false });
    expect(parseRunConfig(formatRunConfig(config), "config.yaml")).toEqual(config);
    expect(upgradeSavedConfig(upgradeSavedConfig(saved()))).toEqual(upgradeSavedConfig(saved()));
  });

  it("keeps the keys of two_stage where that is its type", () => {
    const twoStage = { ...saved(), schedule: { ...saved().schedule, type: "two_stage", stage2_learning_rate: 1e-3 } };
    expect(upgradeSavedConfig(twoStage)).toEqual(twoStage);
  });

  it("takes overrides like any other", () => {
    expect(loadRunConfig(file, [parseOverride("training.max_steps=60")]).training.max_steps).toBe(60);
    expect(() => loadRunConfig(file, [parseOverride("schedule.stage2_start=0.5")])).toThrow(/a key of type two_stage/);
  });

  it("is told from one that people wrote", () => {
    const written = `${text}schedule: {type: linear, stage2_start: 0.5}\n`;
    expect(problems(written)[0]).toContain("schedule.stage2_start is a key of type two_stage, not of linear");
  });
});
