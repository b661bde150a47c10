/**
 * Speed of the native engine on a model of a given shape with random weights: prefill and decode, tokens per second.
 * The model is a real export, made on the way; its weights do not change the work.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { planExport } from "../../export/export_plan.ts";
import { planGguf, writeGgufExport } from "../../export/gguf_export.ts";
import { Engine } from "../../native/inference/engine.ts";
import { type ModelConfig, modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { initialValues } from "../../src/model/initialization.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import { byteLevelTokenizer } from "../../src/tokenizer/byte_level_tokenizer.ts";
import { median } from "./measurement.ts";

/** The small shape of the engine comparisons. */
export const engineShape = { hidden_size: 512, num_hidden_layers: 8, num_attention_heads: 8, num_key_value_heads: 4 };

export interface EngineSpeed {
  type: string;
  threads: number;
  prefillTokensPerSecond: number;
  decodeTokensPerSecond: number;
}

async function timed(repeats: number, body: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < repeats + 1; i++) {
    const start = performance.now();
    await body();
    if (i > 0) times.push((performance.now() - start) / 1000);
  }
  return median(times);
}

/** Writes a random model of the configuration as GGUF and measures it; `promptTokens` and `decodeTokens` as in llama-bench. */
export async function benchEngine(
  type: "tq2_0" | "tq1_0" | "i2_s",
  threads: readonly number[],
  { promptTokens = 512, decodeTokens = 64, repeats = 5 } = {},
): Promise<EngineSpeed[]> {
  const tokenizer = byteLevelTokenizer();
  const config: ModelConfig = resolveModelConfig(
    modelConfigSchema.parse({
      ...engineShape,
      intermediate_size: 1536,
      vocab_size: 8192,
      max_position_embeddings: 1024,
    }),
  );
  const folder = mkdtempSync(path.join(tmpdir(), "bitnet-bench-"));
  const file = path.join(folder, "model.gguf");
  const specs = new Map(modelParameters(config).map((spec) => [spec.name, spec]));
  try {
    const plan = planGguf(planExport(config, tokenizer, { target: "bitnet-lab", type }), "bench");
    await writeGgufExport(file, plan, async (name) => initialValues(specs.get(name)!, config, 1));
    const speeds: EngineSpeed[] = [];
    for (const count of threads) {
      const engine = await Engine.load(file, { threads: count });
      const prompt = Int32Array.from({ length: promptTokens }, (_, i) => (i * 7919) % config.vocabSize);
      const session = engine.createSession({ capacity: promptTokens + decodeTokens });
      const prefill = await timed(repeats, async () => {
        await session.truncate(0);
        await session.prefill(prompt);
      });
      const decode = await timed(repeats, async () => {
        await session.truncate(promptTokens);
        await session.advance([{ slot: 0, ids: [1] }], decodeTokens);
      });
      session.dispose();
      engine.dispose();
      speeds.push({
        type,
        threads: count,
        prefillTokensPerSecond: promptTokens / prefill,
        decodeTokensPerSecond: decodeTokens / decode,
      });
    }
    return speeds;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
