/** `bitnet-report`: what the page of runs says, and what is said of folders that are none. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reportOn } from "../../cli/report/report_on.ts";
import { writeCheckpoint } from "../../src/checkpoint/write_checkpoint.ts";
import { modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { CausalLM } from "../../src/model/causal_lm.ts";
import { byteLevelTokenizer } from "../../src/tokenizer/byte_level_tokenizer.ts";
import { temporaryFolder } from "../native/inference/exported_model.ts";

const folder = temporaryFolder("bitnet-report-");
afterAll(() => folder.remove());
const at = (...names: string[]) => path.join(folder.path, ...names);

const rows = (values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

interface Written {
  learningRate: number;
  losses: readonly number[];
  maxSteps?: number;
}

/** A run as `bitnet-train` would leave it, of 1000 tokens a step at 500 tokens/s. */
function writeRun(name: string, { learningRate, losses, maxSteps = losses.length }: Written): string {
  mkdirSync(at(name), { recursive: true });
  writeFileSync(
    at(name, "config.yaml"),
    `training:\n  max_steps: ${maxSteps}\n  seed: 1\noptimizer:\n  learning_rate: ${learningRate}\n`,
  );
  const metrics = losses.map((loss, i) => ({
    step: i + 1,
    tokens: 1000 * (i + 1),
    loss: loss + 0.1,
    val_loss: loss,
    bits_per_byte: loss / 2,
    learning_rate: learningRate,
    grad_norm: 1,
    tokens_per_second: 500,
  }));
  writeFileSync(at(name, "metrics.jsonl"), rows(metrics));
  return at(name);
}

const cellsOf = (html: string) =>
  [...html.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
    [...row.matchAll(/<t[dh][^>]*>(.*?)<\/t[dh]>/g)].map(([, cell]) => cell),
  );

async function pageOf(folders: readonly string[], weights = false): Promise<string> {
  const out = at("page.html");
  await reportOn(folders, { out, png: false, weights });
  return readFileSync(out, "utf8");
}

describe("a page of two runs", () => {
  let html: string;
  beforeAll(async () => {
    const a = writeRun("<b>a", { learningRate: 0.01, losses: [4, 3, 2, 2.5] });
    const b = writeRun("b", { learningRate: 0.02, losses: [4, 3.5], maxSteps: 40 });
    writeFileSync(at("b", "samples.jsonl"), rows([{ step: 2, prompt: "<i>", text: "<script>alert(1)</script>" }]));
    writeFileSync(at("b", "environment.json"), JSON.stringify({ cpu: "a CPU", threads: 2 }));
    writeFileSync(at("b", "changes.jsonl"), rows([{ step: 1, key: "training.seed", before: 1, now: 2 }]));
    const zeros = [10, 20].map((step) => ({ step, name: "model.layers.0.self_attn.q_proj.weight", kind: "matrix" }));
    writeFileSync(at("b", "telemetry.jsonl"), rows(zeros.map((row, i) => ({ ...row, zero_fraction: 0.3 + i / 10 }))));
    html = await pageOf([a, b]);
  });

  test("sums the runs up: final and best losses, tokens, the time of training", () => {
    expect(cellsOf(html)).toContainEqual([
      "&lt;b&gt;a",
      "4",
      "4,000",
      "2.5000",
      "2.0000 at 3",
      "1.2500",
      "2.6000",
      "8.0 s",
      "500",
    ]);
    expect(cellsOf(html)).toContainEqual([
      "b",
      "2 of 40",
      "2,000",
      "3.5000",
      "3.5000 at 2",
      "1.7500",
      "3.6000",
      "4.0 s",
      "500",
    ]);
    expect(html).toContain("b: unfinished: 2 of 40 steps");
  });

  test("has a curve for each run on shared axes, and no figure of what was not measured", () => {
    const titles = [...html.matchAll(/aria-label="([^"]*)"/g)].map(([, title]) => title);
    expect(titles).toEqual([
      "Training loss",
      "Validation loss",
      "Learning rate",
      "Gradient norm, before clipping",
      "Speed",
      "Zeros by matrix",
    ]);
    const [training, validation] = [...html.matchAll(/<figure>(<svg.*?<\/svg>)/g)].map(([, svg]) => svg);
    const ticks = (svg: string) => [...svg.matchAll(/text-anchor="(?:end|middle)">([\d.]+)</g)].map(([, tick]) => tick);
    expect(ticks(training)).toEqual(ticks(validation));
    expect(training.match(/<path /g)).toHaveLength(2);
  });

  test("tells how the settings differ, what was changed on the way, and the system", () => {
    expect(cellsOf(html)).toContainEqual(["optimizer.learning_rate", "0.01", "0.02"]);
    expect(cellsOf(html)).toContainEqual(["training.max_steps", "4", "40"]);
    expect(html).not.toContain("<td>training.seed</td>");
    expect(html).toContain("b: after step 1, training.seed changed from 1 to 2");
    expect(cellsOf(html)).toContainEqual(["CPU", "", "a CPU"]);
  });

  test("is one file that runs nothing: names and samples are text", () => {
    expect(html).toContain("<b>&lt;i&gt;</b>&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html).not.toMatch(/<script|<b>a|src="(?!data:)|href=|@import|url\((?!#clip)/);
    expect(html).toContain("prefers-color-scheme:dark");
  });
});

test("looks into the newest checkpoint: shapes, scales, shares of the codes, and the codes as pictures", async () => {
  const run = writeRun("model", { learningRate: 0.01, losses: [3] });
  const config = resolveModelConfig(
    modelConfigSchema.parse({
      hidden_size: 128,
      num_hidden_layers: 1,
      intermediate_size: 256,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      vocab_size: 257,
    }),
  );
  const model = new CausalLM(config, { seed: 1 });
  await writeCheckpoint(at("model", "checkpoints", "step-1"), {
    config,
    tokenizer: byteLevelTokenizer({}),
    parameters: (name) => model.parameters.get(name)!.dataSync() as Float32Array,
  });
  writeFileSync(at("model", "checkpoints", "latest"), "step-1");
  const query = model.parameters.get("model.layers.0.self_attn.q_proj.weight")!.dataSync() as Float32Array;
  const scale = query.reduce((sum, value) => sum + Math.abs(value), 0) / query.length;
  const zeros = query.filter((value) => Math.abs(value) < scale / 2).length / query.length;
  model.dispose();
  const html = await pageOf([run], true);
  const row = cellsOf(html).find(([name, shape]) => name === "0 q_proj" && shape === "128 × 128")!;
  expect(Number(row[2])).toBeCloseTo(scale, 4);
  expect(row[5]).toBe(`${(100 * zeros).toFixed(1)}%`);
  expect(html).toContain("0 q_proj: the first 96 × 96 of 128 × 128 codes");
  expect(html).toContain("0 q_proj: share of zeros in blocks of 2 × 2");
  expect(html).toContain("0 k_proj: the first 64 × 96 of 64 × 128 codes");
  // 7 matrices, two pictures each.
  expect(html.match(/<img src="data:image\/png;base64,/g)).toHaveLength(14);
  expect(html).toContain("down_proj: latent weights");
});

test("a validation loss that is no number is left out", async () => {
  const run = writeRun("diverged", { learningRate: 0.01, losses: [4, 3, 2, 2.5] });
  const file = at("diverged", "metrics.jsonl");
  writeFileSync(file, readFileSync(file, "utf8").replace('"val_loss":2.5,', '"val_loss":null,'));
  expect(
    cellsOf(await pageOf([run]))
      .find(([name]) => name === "diverged")!
      .slice(3, 5),
  ).toEqual(["2.0000", "2.0000 at 3"]);
});

test("writes the page and its figures where they are wanted", async () => {
  const run = writeRun("alone", { learningRate: 0.01, losses: [3, 2] });
  expect(await reportOn([run], { png: true, weights: true })).toEqual([
    `wrote ${at("alone", "report.html")}`,
    `wrote 5 PNGs in ${at("alone", "report_figures")}`,
  ]);
  expect(readdirSync(at("alone", "report_figures")).sort()).toEqual([
    "gradient_norm_before_clipping.png",
    "learning_rate.png",
    "speed.png",
    "training_loss.png",
    "validation_loss.png",
  ]);
  expect(readFileSync(at("alone", "report.html"), "utf8")).toContain("no checkpoint yet");
});

test("a sweep: arms, paired differences and verdicts that follow from the runs that are there", async () => {
  mkdirSync(at("sweep", "runs"), { recursive: true });
  const arms = { low: [2, 2.1], high: [3, 3.15] };
  const named = Object.keys(arms).map((name) => `  - {name: ${name}}\n`);
  writeFileSync(at("sweep", "sweep.yaml"), `name: rates\nmethod: list\nruns:\n${named.join("")}seeds: [1, 2]\n`);
  const records = Object.entries(arms).flatMap(([arm, losses]) =>
    losses.map((loss, i) => {
      const name = `${arm}-s${i + 1}`;
      writeRun(path.join("sweep", "runs", name), { learningRate: 0.01, losses: [4, loss] });
      return { name, arm, seed: i + 1, stage: "final", folder: name, steps: 2, until: 2 };
    }),
  );
  expect(await reportOn([at("sweep")], { png: false, weights: false }).catch(({ message }) => message)).toBe(
    `${at("sweep")}: the sweep has no runs yet`,
  );
  writeFileSync(at("sweep", "runs.json"), JSON.stringify(records));
  const html = await pageOf([at("sweep")]);
  expect(html).toContain("<h1>rates</h1>");
  const low = cellsOf(html).find(([arm]) => arm === "low")!;
  expect(low.slice(0, 4)).toEqual(["low", "2", "2.0500", "0.0707"]);
  const high = cellsOf(html).find(([arm, , pairs]) => arm === "high" && pairs === "2")!;
  expect(high[3]).toBe("+1.0250");
  expect(html.match(/aria-label="[^"]*"/g)).toContain('aria-label="val_loss over the run"');
  await expect(pageOf([at("sweep"), at("alone")])).rejects.toThrow("a report is about one sweep, or about runs");
});

describe("refuses, in one line,", () => {
  const refusal = (folders: readonly string[]) =>
    reportOn(folders, { out: at("none.html"), png: false, weights: false }).catch(({ message }) => message);

  test("what is no run", async () => {
    mkdirSync(at("empty"));
    writeFileSync(at("file"), "");
    expect(await refusal([at("absent")])).toBe(`${at("absent")}: no such folder`);
    expect(await refusal([at("file")])).toBe(`${at("file")} is a file: name the folder of a run`);
    expect(await refusal([at("empty")])).toBe(`${at("empty")} is no run: there is no config.yaml in it`);
    expect(existsSync(at("none.html"))).toBe(false);
  });

  test("a run without metrics, and rows that are damaged; a last line that is being written does not count", async () => {
    const run = writeRun("early", { learningRate: 0.01, losses: [3] });
    const row = readFileSync(at("early", "metrics.jsonl"), "utf8");
    writeFileSync(at("early", "metrics.jsonl"), `${row}{"step": 2, "lo`);
    expect(await refusal([run])).toEqual([`wrote ${at("none.html")}`]);
    writeFileSync(at("early", "metrics.jsonl"), `${row}{"st\n${row}`);
    expect(await refusal([run])).toBe(`${at("early", "metrics.jsonl")}:2: not valid JSON`);
    writeFileSync(at("early", "metrics.jsonl"), '{"step": 1, "lo');
    expect(await refusal([run])).toBe(`${run}: the run has no metrics yet`);
  });

  test("as a command", () => {
    const program = path.join(import.meta.dirname, "../../cli/bin/bitnet-report.mjs");
    const { status, stderr } = spawnSync(process.execPath, [program, at("absent")], { encoding: "utf8" });
    expect([status, stderr]).toEqual([1, `bitnet-report: ${at("absent")}: no such folder\n`]);
  });
});
