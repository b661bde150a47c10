/** `--chat-template`, the same in every command that talks to a model. */
import { existsSync } from "node:fs";
import { readTextFile } from "../src/files/text_file.ts";
import { knownChatTemplates } from "../src/tokenizer/chat_template.ts";
import { UsageError } from "./command.ts";

const templateNames = [...knownChatTemplates.keys()].join(", ");

export const chatTemplateFlag = {
  "chat-template": {
    type: "string",
    describe: `Jinja file instead of the model's own template, or a name: of one of several that the model has, or ${templateNames}`,
  },
} as const;

/** Jinja text of the flag, or the name of a template. @throws {UsageError} */
export function chatTemplateOf(given: string | undefined): string | undefined {
  if (given === undefined || knownChatTemplates.has(given)) return given;
  if (existsSync(given)) return readTextFile(given);
  // A name without a path may be that of one of the model's own.
  if (!/[/\\.]/.test(given)) return given;
  throw new UsageError(`--chat-template ${given}: no such file, nor one of ${templateNames}`);
}
