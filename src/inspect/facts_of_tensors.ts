/** What the names, types and shapes of a model's tensors say. */
import { type InspectedTensor, weightsOf } from "./inspected_model.ts";
import type { ModelFacts } from "./model_facts.ts";

export function factsOfTensors(
  tensors: readonly InspectedTensor[],
): Pick<
  ModelFacts,
  "parameters" | "subNorms" | "linearTypes" | "embeddingType" | "embeddingRows" | "headType" | "query" | "output"
> {
  const byName = new Map(tensors.map((tensor) => [tensor.ggufName, tensor]));
  const count = (pattern: RegExp) => tensors.filter(({ ggufName }) => pattern.test(ggufName)).length;
  const weights = new Map<string, number>();
  for (const tensor of tensors) {
    if (tensor.role === "linear") weights.set(tensor.type, (weights.get(tensor.type) ?? 0) + weightsOf(tensor));
  }
  const embedding = byName.get("token_embd.weight");
  return {
    parameters: tensors.filter(({ role }) => role !== "scale").reduce((sum, tensor) => sum + weightsOf(tensor), 0),
    subNorms: {
      attention: count(/^blk\.\d+\.attn_sub_norm\.weight$/),
      feedForward: count(/^blk\.\d+\.ffn_sub_norm\.weight$/),
    },
    linearTypes: [...weights].sort(([, a], [, b]) => b - a).map(([type]) => type),
    embeddingType: embedding?.type ?? null,
    embeddingRows: embedding?.shape.length === 2 ? embedding.shape[0] : null,
    headType: byName.get("output.weight")?.type ?? null,
    query: byName.get("blk.0.attn_q.weight")?.shape ?? null,
    output: byName.get("blk.0.attn_output.weight")?.shape ?? null,
  };
}
