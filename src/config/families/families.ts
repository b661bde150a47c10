/** The list of families, and which of them a model or a file is. */
import type { ModelConfig } from "../model_config.ts";
import { bitnet } from "./bitnet.ts";
import { graphMisfits, type ModelFamily } from "./family.ts";
import { gemma3 } from "./gemma3.ts";
import { llama } from "./llama.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen3 } from "./qwen3.ts";

export const families: readonly ModelFamily[] = [bitnet, llama, qwen2, qwen3, gemma3];

/** The family whose graph the model has; null: that of no other program. */
export function familyOf(config: ModelConfig): ModelFamily | null {
  return families.find((family) => graphMisfits(family, config).length === 0) ?? null;
}

/** What of the graph keeps the model out of the family that is nearest, as `key: value`; null if it is one of a family. */
export function ownGraphPart(config: ModelConfig): string | null {
  const [nearest] = families.map((family) => graphMisfits(family, config)).sort((a, b) => a.length - b.length);
  return nearest[0] ?? null;
}
