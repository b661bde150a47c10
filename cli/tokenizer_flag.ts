/** The flag that gives a GGUF file another tokenizer than its own, the same in every command that reads text. */
import { localTokenizer } from "../src/data/hub_tokenizer.ts";

export const tokenizerFlag = {
  tokenizer: {
    type: "string",
    describe: "Of a GGUF file, instead of its own: tokenizer.json, its folder, a GGUF file, or owner/name on the Hub",
  },
} as const;

/** The flag as a local path; a tokenizer on the Hub is downloaded. @throws {DataError} */
export async function tokenizerPath(given: string | undefined): Promise<string | undefined> {
  return given === undefined ? undefined : localTokenizer(given);
}
