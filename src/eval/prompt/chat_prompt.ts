/**
 * A conversation as a prompt, by the tokenizer's chat template, as lm-evaluation-harness has it from Transformers: the
 * assistant's turn is begun, or, if the assistant has begun to answer, left open (`continue_final_message`).
 */

import { rstrip, strip } from "../../python/whitespace.ts";
import { type ChatMessage, ChatTemplate } from "../../tokenizer/chat_template.ts";
import { ChatTemplateError } from "../../tokenizer/chat_template_error.ts";
import { chatTemplates, chooseChatTemplate } from "../../tokenizer/chat_templates.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";

/** Put behind the text that is to be continued, to find it in what the template makes of it. */
const mark = "CONTINUE_FINAL_MESSAGE_TAG ";

export class ChatPrompt {
  private readonly template: ChatTemplate;

  /**
   * @param name of one of several templates; default "default"
   * @throws {ChatTemplateError} if the tokenizer has no template, or none of that name.
   */
  constructor(tokenizer: Tokenizer, name?: string) {
    const source = chooseChatTemplate(chatTemplates(tokenizer.config), name);
    this.template = new ChatTemplate(source, tokenizer.config, "tokenizer_config.json");
  }

  /** Jinja, for the results file. */
  get source(): string {
    return this.template.source;
  }

  /**
   * The prompt of a conversation. A template that refuses a system message gets the conversation without it.
   * @throws {ChatTemplateError}
   */
  apply(messages: readonly ChatMessage[]): string {
    try {
      return this.render(messages);
    } catch (error) {
      const others = messages.filter(({ role }) => role !== "system");
      if (others.length === messages.length) throw error;
      return this.render(others);
    }
  }

  private render(messages: readonly ChatMessage[]): string {
    const last = messages.at(-1);
    if (last?.role !== "assistant") return this.template.render(messages);
    const open = messages.with(-1, { ...last, content: last.content + mark });
    const text = this.template.render(open, { addGenerationPrompt: false });
    const at = text.lastIndexOf(strip(mark));
    if (at < 0) throw new ChatTemplateError("the chat template drops the beginning of the answer (gen_prefix)");
    const kept = text.slice(0, at);
    return text.startsWith(mark, at) ? kept : rstrip(kept);
  }
}
