/** Which programs will be able to run a model, before it is trained: what the targets of an export say of its configuration. */
import { targets } from "../export/targets/targets.ts";
import type { ModelConfig } from "../src/config/model_config.ts";
import type { Tokenizer } from "../src/tokenizer/tokenizer.ts";

/** `runs in   bitnet-lab, bitnet.cpp`, and a line for each of the others with the reason and what would work. */
export function readerLines(config: ModelConfig, tokenizer: Tokenizer): string[] {
  const answers = targets.map(({ name, defaultType, refusal }) => {
    const linearType = defaultType(config);
    return { name, reason: refusal({ config, tokenizer, linearType, embeddingDtype: config.embeddingDtype }) };
  });
  const readers = answers.filter(({ reason }) => reason === null).map(({ name }) => name);
  const others = answers.flatMap(({ name, reason }) => (reason === null ? [] : `not in    ${name}: ${reason}`));
  return [`runs in   ${readers.length === 0 ? "nothing that is known" : readers.join(", ")}`, ...others];
}
