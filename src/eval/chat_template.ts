/**
 * A tokenizer's chat template, applied as Transformers does (`apply_chat_template`): special tokens as variables, no
 * tools, and for an answer that has begun, what follows it cut off (`continue_final_message`).
 */
import { Template } from "@huggingface/jinja";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { rstrip, strip } from "./python/whitespace.ts";

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

/** There is no such template, or it cannot be applied. */
export class ChatTemplateError extends Error {
  override name = "ChatTemplateError";
}

/** Put behind the text that is to be continued, to find it in what the template makes of it. */
const mark = "CONTINUE_FINAL_MESSAGE_TAG ";

const specialTokens = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

export class ChatTemplate {
  /** As in the tokenizer's configuration, for the results file. */
  readonly source: string;
  private readonly template: Template;
  private readonly variables: Record<string, string> = {};

  /**
   * @param name of one of several templates; default "default"
   * @throws {ChatTemplateError} if the tokenizer has no template, or none of that name.
   */
  constructor(tokenizer: Tokenizer, name?: string) {
    const config = tokenizer.config ?? {};
    this.source = chooseTemplate(config.chat_template, name);
    try {
      this.template = new Template(this.source);
    } catch (error) {
      throw new ChatTemplateError(`the chat template is not valid: ${(error as Error).message}`);
    }
    for (const key of specialTokens) {
      const token = config[key];
      const text = typeof token === "string" ? token : (token as { content?: unknown } | null | undefined)?.content;
      if (typeof text === "string") this.variables[key] = text;
    }
  }

  /**
   * The prompt of a conversation. A last message of the assistant is left open, otherwise the assistant's turn is begun.
   * A template that refuses a system message gets the conversation without it.
   * @throws {ChatTemplateError}
   */
  apply(messages: readonly ChatMessage[]): string {
    try {
      return this.render(messages);
    } catch (error) {
      if (error instanceof ChatTemplateError) throw error;
      const others = messages.filter(({ role }) => role !== "system");
      if (others.length < messages.length) return this.apply(others);
      throw new ChatTemplateError(`the chat template cannot be applied: ${(error as Error).message}`);
    }
  }

  private render(messages: readonly ChatMessage[]): string {
    const last = messages.at(-1);
    const continues = last?.role === "assistant";
    const chat = continues ? [...messages.slice(0, -1), { ...last, content: last.content + mark }] : messages;
    const text = this.template.render({
      ...this.variables,
      messages: chat.map(({ role, content }) => ({ role, content })),
      tools: null,
      documents: null,
      add_generation_prompt: !continues,
    });
    if (!continues) return text;
    const at = text.lastIndexOf(strip(mark));
    if (at < 0) throw new ChatTemplateError("the chat template drops the beginning of the answer (gen_prefix)");
    const kept = text.slice(0, at);
    return text.startsWith(mark, at) ? kept : rstrip(kept);
  }
}

function chooseTemplate(templates: unknown, name: string | undefined): string {
  if (typeof templates === "string") return templates;
  if (!Array.isArray(templates) || templates.length === 0) {
    throw new ChatTemplateError("the tokenizer has no chat template (chat_template of tokenizer_config.json)");
  }
  const named = new Map(templates.map(({ name, template }) => [String(name), String(template)]));
  const template = named.get(name ?? "default");
  if (template !== undefined) return template;
  const names = [...named.keys()].join(", ");
  throw new ChatTemplateError(
    name === undefined
      ? `the tokenizer has several chat templates and no default: name one of ${names}`
      : `the tokenizer has no chat template "${name}" (it has ${names})`,
  );
}
