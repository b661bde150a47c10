/** A checkpoint of test/golden exported for the native engine. */
import path from "node:path";
import { planExport } from "../../export/export_plan.ts";
import { planGguf, writeGgufExport } from "../../export/gguf_export.ts";
import { openCheckpoint, readParameter } from "../../src/checkpoint/checkpoint.ts";
import { modelParameters } from "../../src/model/parameters.ts";
import { modelDirectory, type TinyModel } from "./golden_lm_eval.ts";

/** Writes `<directory>/<model>.gguf`; types that hold the model's float32 scales without loss. */
export async function exportTestModel(model: TinyModel, directory: string): Promise<string> {
  const checkpoint = await openCheckpoint(modelDirectory(model));
  try {
    const type = model === "tiny-bitnet" ? "i2_s" : "f32";
    const plan = planExport(checkpoint.config, checkpoint.tokenizer, { target: "bitnet-lab", type });
    const file = path.join(directory, `${model}.gguf`);
    const specs = new Map(modelParameters(checkpoint.config).map((spec) => [spec.name, spec]));
    await writeGgufExport(file, planGguf(plan, model), (name) => readParameter(checkpoint, specs.get(name)!));
    return file;
  } finally {
    await checkpoint.tensors.close();
  }
}
