import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { loadAddon } from "../../native/addon.ts";
import { modelConfigJson } from "../../src/checkpoint/model_config_json.ts";
import { writeCheckpoint } from "../../src/checkpoint/write_checkpoint.ts";
import type { ModelConfigJson } from "../../src/config/model_config.ts";
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import { titleUnless } from "../support/missing.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "./small_model.ts";

// Every test starts processes of its own, which on a busy machine take their time.
vi.setConfig({ testTimeout: 300_000 });

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-export-"));
afterAll(() => rmSync(folder, { recursive: true }));

const script = fileURLToPath(new URL("../../cli/bin/bitnet-export.mjs", import.meta.url));
const at = (name: string) => path.join(folder, name);

function bitnetExport(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8", cwd: folder });
  return { status, stdout, stderr };
}

function checkpointOf(name: string, changes: Partial<ModelConfigJson> = {}) {
  const config = smallConfig(changes);
  const parameters = smallParameters(config);
  return writeCheckpoint(at(name), { config, tokenizer: smallTokenizer(), parameters: readerOf(parameters) });
}

function addonIsMissing(): boolean {
  try {
    loadAddon();
    return false;
  } catch {
    return true;
  }
}

beforeAll(async () => {
  await checkpointOf("model");
  await checkpointOf("other");
});

describe("bitnet-export", () => {
  const identical = /512 log-probabilities identical to the training forward \(native, \w+\)\n$/;

  it.skipIf(addonIsMissing())(titleUnless(addonIsMissing(), "the addon", "measures a different model"), () => {
    writeFileSync(at("valid.txt"), "hello hello help\n".repeat(40));
    const { stdout } = bitnetExport("model", "--out", "q8.gguf", "--embedding-type", "q8_0", "--text", "valid.txt");
    expect(stdout).toMatch(
      /a different model: the embedding is q8_0, trained as f16; loss \d+\.\d{5} -> \d+\.\d{5} nats per token \([+-][\d.e-]+\) on valid.txt\n/,
    );
    expect(stdout).toMatch(identical);
  });

  it("names the model after its run and can skip the logits", async () => {
    await checkpointOf("runs/tiny/checkpoints/step-00000010");
    writeFileSync(at("runs/tiny/checkpoints/latest"), "step-00000010\n");
    const { status, stdout } = bitnetExport("runs/tiny", "--out", "run.gguf", "--verify", "tensors");
    expect(status).toBe(0);
    expect(stdout).toContain("verified: 14 matrices (1,179,648 ternary codes and their scales) and 10 float tensors");
    expect(stdout).not.toContain("log-probabilities");
    const file = await GgufFile.open(at("run.gguf"));
    expect(file.scalar("general.name")).toBe("tiny");
    await file.close();
  });

  it("writes random weights in the shape of a config.json, the same for the same seed", async () => {
    const config = modelConfigJson(smallConfig({ vocab_size: 300 }), null);
    writeFileSync(at("shape.json"), JSON.stringify(config));
    const random = (out: string, seed: string) =>
      bitnetExport("--random", "shape.json", "--out", out, "--seed", seed, "--verify", "tensors");
    const { status, stdout } = random("random.gguf", "1");
    expect(stdout).toContain("verified: 14 matrices (1,179,648 ternary codes and their scales) and 10 float tensors");
    expect(status).toBe(0);
    random("again.gguf", "1");
    random("other.gguf", "2");
    expect(readFileSync(at("again.gguf"))).toEqual(readFileSync(at("random.gguf")));
    expect(readFileSync(at("other.gguf"))).not.toEqual(readFileSync(at("random.gguf")));
    const file = await GgufFile.open(at("random.gguf"));
    expect(file.scalar("general.name")).toBe("random shape.json");
    await file.close();
  });

  it.each([
    [["--random", "shape.json", "model"], /give one of a checkpoint, --from and --random/],
    [["--random", "tiny.yaml"], /the recipe has no model.vocab_size/],
    [[], /missing argument <checkpoint> \(or --from or --random\)/],
  ])("refuses %j", (args, message) => {
    const { status, stderr } = bitnetExport(...args, "--out", "refused.gguf");
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  it("writes a directory for transformers, and never over a checkpoint", () => {
    const { status, stdout } = bitnetExport("model", "--out", "model-hf", "--target", "transformers");
    expect(stdout).toContain("512 log-probabilities of the directory, read back, identical to the training forward");
    expect(status).toBe(0);
    const over = bitnetExport("model", "--out", "other", "--target", "transformers");
    expect(over.stderr).toBe("bitnet-export: other holds other files: choose a new or empty directory\n");
    expect(over.status).toBe(1);
    expect(existsSync(at("other/model.safetensors"))).toBe(true);
  });
});

describe("bitnet-export on bad input", () => {
  it.each<[number, string[], RegExp]>([
    [1, ["absent", "--out", "x.gguf"], /absent: no such directory/],
    [1, ["model", "--out", "x.gguf", "--target", "llama.cpp"], /hard-coded gated SiLU.*train with hidden_act: silu/],
    [2, ["model"], /--out is missing/],
    [2, ["model", "--out", "x.gguf", "--typ", "i2_s"], /unknown flag --typ; the nearest is --type/],
    [2, ["model", "--out", "x.gguf", "--type", "q4_k"], /--type cannot be "q4_k": choose one of "tq2_0", "tq1_0"/],
  ])("ends with %i and one line: %j", (code, args, message) => {
    const { status, stdout, stderr } = bitnetExport(...args);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    expect(status).toBe(code);
    expect(existsSync(at("x.gguf"))).toBe(false);
  });

  it.skipIf(process.platform === "win32")(
    "leaves nothing behind on a full disk (a file size limit stands for it)",
    () => {
      const before = readdirSync(folder);
      const command = `ulimit -f 128; exec "$0" "$@"`;
      const args = ["-c", command, process.execPath, script, "model", "--out", "full.gguf"];
      const { status, stderr } = spawnSync("bash", args, { encoding: "utf8", cwd: folder });
      expect(stderr).toBe("bitnet-export: cannot write full.gguf: the file size limit is reached\n");
      expect(status).toBe(1);
      expect(readdirSync(folder)).toEqual(before);
    },
  );
});
