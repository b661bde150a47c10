/** config.json of models of every graph, and of files from before the keys existed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { writeCheckpoint } from "../../src/checkpoint/write_checkpoint.ts";
import { type ModelConfig, modelConfigSchema, resolveModelConfig } from "../../src/config/model_config.ts";
import { initialValues } from "../../src/model/initialization.ts";
import { modelParameters } from "../../src/model/parameters.ts";

const folder = mkdtempSync(path.join(tmpdir(), "graph-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

const shape = { hidden_size: 16, num_hidden_layers: 1, intermediate_size: 24, num_attention_heads: 2, vocab_size: 10 };

async function written(name: string, config: ModelConfig): Promise<string> {
  const directory = path.join(folder, name);
  const specs = new Map(modelParameters(config).map((spec) => [spec.name, spec]));
  const parameters = (parameter: string) => initialValues(specs.get(parameter)!, config, 3);
  await writeCheckpoint(directory, { config, tokenizer: null, parameters });
  return directory;
}

test("a checkpoint of another graph says all of it", async () => {
  const config = resolveModelConfig(
    modelConfigSchema.parse({
      ...shape,
      norm_placement: "every_linear",
      feed_forward: "mlp",
      use_hadamard: true,
      activation_quantizer: { type: "topk_int8", keep: 0.25 },
    }),
  );
  const checkpoint = await openCheckpoint(await written("graph", config));
  expect(checkpoint.config).toEqual(config);
  expect(checkpoint.tensors.has("model.layers.0.mlp.up_proj.rms_norm.weight")).toBe(true);
  await checkpoint.tensors.close();
});

test.each([true, false])("an earlier file with use_sub_norms: %s means what it meant", async (useSubNorms) => {
  const config = resolveModelConfig(modelConfigSchema.parse({ ...shape, use_sub_norms: useSubNorms }));
  expect(config.normPlacement).toBe(useSubNorms ? "sub" : "pre");
  const directory = await written(`earlier-${useSubNorms}`, config);
  const file = path.join(directory, "config.json");
  const { norm_placement: _, feed_forward: __, use_hadamard: ___, ...json } = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...json, use_sub_norms: useSubNorms }));
  const checkpoint = await openCheckpoint(directory);
  expect(checkpoint.config).toEqual(config);
  await checkpoint.tensors.close();
});
