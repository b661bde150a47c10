/** Whether the scales of packed weights mean what config.json says that they do, by the values. */
import { type Checkpoint, holdsPackedCodes } from "../src/checkpoint/checkpoint.ts";
import { localFolder } from "../src/inspect/model_folder.ts";
import { openFolderModel } from "../src/inspect/open_folder.ts";
import { scaleMeaningByValues } from "../src/inspect/scale_meaning.ts";
import { knownGgufName } from "./inspect/open_source.ts";

/** A line where the values contradict `quantization_config.linear_class`; null where they agree, or do not tell. */
export async function scaleMeaningRemark(checkpoint: Checkpoint): Promise<string | null> {
  if (!holdsPackedCodes(checkpoint)) return null;
  const { directory, configJson } = checkpoint;
  const { linear_class: linear = "bitlinear" } = configJson.quantization_config as { linear_class?: string };
  const stated = linear === "autobitlinear" ? "multiplies" : "divides";
  const model = await openFolderModel(await localFolder(directory), { ggufName: knownGgufName });
  try {
    const found = await scaleMeaningByValues(model);
    if (found === null || found.name === stated) return null;
    return `config.json says linear_class ${linear}, whose weight_scale ${stated}, and by the values it ${found.name} (${found.why}): if what the model writes is nonsense, correct config.json`;
  } finally {
    await model.close();
  }
}
