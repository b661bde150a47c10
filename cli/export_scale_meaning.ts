/** Whether the scales of packed weights mean what config.json says that they do, by the values. */
import type { Checkpoint } from "../src/checkpoint/checkpoint.ts";
import { scaleMeaningByValues } from "../src/inspect/scale_meaning.ts";
import { openSource } from "./inspect/open_source.ts";

/** A line where the values contradict `quantization_config.linear_class`; null where they agree, or do not tell. */
export async function scaleMeaningRemark({ directory, configJson }: Checkpoint): Promise<string | null> {
  const section = configJson.quantization_config as { linear_class?: string } | null | undefined;
  if (!section) return null;
  const { linear_class: linear = "bitlinear" } = section;
  const stated = linear === "autobitlinear" ? "multiplies" : "divides";
  const { model } = await openSource(directory);
  try {
    const found = await scaleMeaningByValues(model);
    if (found === null || found.name === stated) return null;
    return `config.json says linear_class ${linear}, whose weight_scale ${stated}, and by the values it ${found.name} (${found.why}): if what the model writes is nonsense, correct config.json`;
  } finally {
    await model.close();
  }
}
