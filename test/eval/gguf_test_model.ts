/** A checkpoint of test/golden exported for the native engine. */
import path from "node:path";
import { exportModel } from "../../export/export_model.ts";
import { planExport } from "../../export/export_plan.ts";
import { openCheckpoint, parameterReader } from "../../src/checkpoint/checkpoint.ts";
import { modelDirectory, type TinyModel } from "./golden_lm_eval.ts";

/** Writes `<directory>/<model>.gguf`; types that hold the model's float32 scales without loss. */
export async function exportTestModel(model: TinyModel, directory: string): Promise<string> {
  const checkpoint = await openCheckpoint(modelDirectory(model));
  try {
    const type = model === "tiny-bitnet" ? "i2_s" : "f32";
    const plan = planExport(checkpoint.config, checkpoint.tokenizer, { target: "bitnet-lab", type, name: model });
    const file = path.join(directory, `${model}.gguf`);
    await exportModel(plan, file, parameterReader(checkpoint));
    return file;
  } finally {
    await checkpoint.tensors.close();
  }
}
