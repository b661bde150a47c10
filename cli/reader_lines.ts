/** Which programs will be able to run a model, before it is trained: what the targets of an export say of its configuration. */
import { embeddingStorage } from "../export/export_plan.ts";
import { targets } from "../export/targets/targets.ts";
import type { ModelConfig } from "../src/config/model_config.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";

/** `runs in   bitnet-lab, bitnet.cpp`, and a line for each of the others with the reason and what would work. */
export function readerLines(config: ModelConfig, tokenizer: Tokenizer): string[] {
  const answers = targets.map((target) => {
    const linearType = target.defaultType(config);
    const reason = target.refusal({ config, tokenizer, linearType, ...embeddingStorage(config, target) });
    return { name: target.name, reason };
  });
  const readers = answers.filter(({ reason }) => reason === null).map(({ name }) => name);
  const others = answers.flatMap(({ name, reason }) => (reason === null ? [] : `not in    ${name}: ${reason}`));
  return [`runs in   ${readers.length === 0 ? "nothing that is known" : readers.join(", ")}`, ...others];
}
