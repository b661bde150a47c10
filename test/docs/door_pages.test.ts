/** The commands of the pages about ways in and out do what the pages say, on small models in the places that they name. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { exportModel, planExport } from "../../export/index.ts";
import { writeCheckpoint } from "../../src/checkpoint/write_checkpoint.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { HubServer } from "../data/hub_server.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "../export/small_model.ts";
import { printedCommand } from "../support/printed_command.ts";
import { hasNative } from "../support/tfjs_backends.ts";

const docs = path.join(import.meta.dirname, "../../docs");
const pages = ["from-hugging-face", "from-gguf", "to-llama-cpp", "to-bitnet-cpp", "to-transformers", "hub"];

const home = process.cwd();
const folder = mkdtempSync(path.join(tmpdir(), "bitnet-doors-"));

const bitnet = { num_key_value_heads: 4 } as const;
const llama = { hidden_act: "silu", norm_placement: "pre" } as const;
const float = { weight_quantizer: "none", activation_quantizer: "none" } as const;

async function makeRun(name: string, keys: Partial<ModelConfigJson>) {
  const config = smallConfig(keys);
  const parameters = smallParameters(config);
  const checkpoints = path.join(folder, "runs", name, "checkpoints");
  mkdirSync(checkpoints, { recursive: true });
  const written = {
    config,
    tokenizer: smallTokenizer(),
    parameters: (parameter: string) => parameters.get(parameter)!,
  };
  await writeCheckpoint(path.join(checkpoints, "step-00000001"), written);
  writeFileSync(path.join(checkpoints, "latest"), "step-00000001\n");
}

async function makeFile(name: string, target: string, keys: Partial<ModelConfigJson>) {
  const config = smallConfig(keys);
  const plan = planExport(config, smallTokenizer(), { target, name });
  await exportModel(plan, path.join(folder, name), readerOf(smallParameters(config)));
}

let hub: HubServer;

/** The Hub has a model with a folder's files and a GGUF file, and lets it be written to. */
async function startHub(): Promise<void> {
  const names = readdirSync(path.join(folder, "bitnet-2b")).map((name) => path.join("bitnet-2b", name));
  const files = [...names, "book.gguf"].map((file) => [path.basename(file), readFileSync(path.join(folder, file))]);
  hub = await HubServer.start({ files: Object.fromEntries(files), name: "me/book", type: "model", token: "hf_me" });
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  vi.stubEnv("HF_TOKEN", "hf_me");
  vi.stubEnv("HF_HOME", path.join(folder, "hf"));
}

beforeAll(async () => {
  await makeRun("book", bitnet);
  await makeRun("story", llama);
  await makeFile("bitnet-2b", "transformers", bitnet);
  await makeFile("qwen3", "transformers", { ...llama, ...float, qk_norm: true, head_dim: 128 });
  await makeFile("book.gguf", "bitnet-lab", bitnet);
  await startHub();
  const training = "{max_steps: 1, batch_size: 1, sequence_length: 16, eval_batches: 1}";
  const data = "{sources: world, world_documents: 20, validation_fraction: 0.2}";
  writeFileSync(path.join(folder, "more.yaml"), `data: ${data}\ntraining: ${training}\n`);
  vi.stubEnv("BITNET_CACHE", path.join(folder, "cache"));
  process.chdir(folder);
});

afterAll(async () => {
  await hub.stop();
  process.chdir(home);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** The words of a command line. */
const wordsOf = (line: string) => Array.from(line.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, word]) => quoted ?? word);

/** A line of the page's output as a pattern: `...` is anything. */
const patternOf = (line: string) =>
  new RegExp(
    `^${line
      .split("...")
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
    "m",
  );

describe.runIf(hasNative).each(pages)("docs/%s.md", (page) => {
  const text = readFileSync(path.join(docs, `${page}.md`), "utf8");
  const lines = Array.from(text.matchAll(/^npx (bitnet-[^#\n]+)/gm), ([, line]) => line.trim());
  const outputs = Array.from(text.matchAll(/^```text\n([\s\S]*?)^```/gm), ([, block]) =>
    block.trim().split("\n"),
  ).flat();
  let printed = "";

  it.each(lines)("%s", async (line) => {
    rmSync(path.join(folder, "runs/more"), { recursive: true, force: true });
    const [name, ...words] = wordsOf(line);
    const { out, code } = await printedCommand(name, words);
    expect(code, out).toBe(0);
    printed += out;
  });

  it.runIf(outputs.length > 0)("prints what it says", () => {
    for (const line of outputs) expect(printed).toMatch(patternOf(line));
  });
});
