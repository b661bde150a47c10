/**
 * Chat templates: a model's own Jinja template (`chat_template` of tokenizer_config.json, `tokenizer.chat_template` of a
 * GGUF file) turns messages into the text that the model was trained on. Rendered as Hugging Face transformers does
 * (`apply_chat_template`).
 */
import { JinjaError } from "../jinja/jinja_error.ts";
import type { Span } from "../jinja/output.ts";
import { JinjaTemplate } from "../jinja/template.ts";
import { chatEnvironment } from "./chat_environment.ts";
import { ChatTemplateError } from "./chat_template_error.ts";

/** A message of a conversation in words. */
export interface ChatMessage {
  /** `system`, `user`, `assistant`, or whatever else the template knows. */
  role: string;
  content: string;
}

/** A message with all that templates may ask for: `tool_calls`, `reasoning_content`, a list of parts as content. */
export interface TemplateMessage {
  role: string;
  content?: string | readonly { type: string; [field: string]: unknown }[] | null;
  [field: string]: unknown;
}

/** What a template is given beside the messages. */
export interface RenderOptions {
  /** Ends with what comes before an answer (default true). */
  addGenerationPrompt?: boolean;
  /** JSON schemas of functions. */
  tools?: readonly object[] | null;
  /** Texts to answer from, each with a title. */
  documents?: readonly object[] | null;
  /** Variables that the template knows, such as `enable_thinking`. */
  variables?: Readonly<Record<string, unknown>>;
}

export interface RenderedChat {
  text: string;
  /** Ranges of the text that the template marks as the assistant's own (`{% generation %}`). */
  generated: Span[];
}

/**
 * Template of BitNet b1.58 2B4T, as its tokenizer_config.json renders:
 * `<|begin_of_text|>System: ...<|eot_id|>User: ...<|eot_id|>Assistant: `.
 */
const bitnet2B4T =
  "{% for message in messages %}" +
  "{{ (bos_token if loop.first and bos_token is defined else '') + message['role'] | capitalize + ': ' + message['content'] | trim + '<|eot_id|>' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}";

/** Templates that may be named instead of given. */
export const knownChatTemplates: ReadonlyMap<string, string> = new Map([["bitnet-b1.58-2B-4T", bitnet2B4T]]);

/**
 * Microsoft's GGUF converter writes a placeholder (`Human: ... BITNETAssistant: ...`) into every file, which is not
 * what 2B4T was trained on: it never ends its answers with it.
 */
function isPlaceholder(source: string): boolean {
  return source.includes("BITNETAssistant");
}

const tokenKeys = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/** Texts of the special tokens that tokenizer_config.json names, each as a string or as { content }. */
function tokenTexts(config: Record<string, unknown> | null): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const key of tokenKeys) {
    const entry = config?.[key] as string | { content?: unknown } | null | undefined;
    const text = typeof entry === "string" ? entry : entry?.content;
    if (typeof text === "string") texts[key] = text;
  }
  return texts;
}

/** Names under which a message carries what was thought before the answer; templates ask for the first, gpt-oss for the second. */
const reasoningFields = ["reasoning_content", "thinking", "reasoning"];

/** Fields without a value are left out, and reasoning is found under each of its names, as in transformers. */
function templateMessage(message: ChatMessage | TemplateMessage): TemplateMessage {
  const fields = Object.entries(message).filter(([, value]) => value !== null && value !== undefined);
  const given = Object.fromEntries(fields) as TemplateMessage;
  const reasoning = reasoningFields.map((field) => given[field]).find((value) => value !== undefined);
  return reasoning === undefined ? given : { thinking: reasoning, ...given, reasoning_content: reasoning };
}

export class ChatTemplate {
  /** Jinja. */
  readonly source: string;
  /** True if the given text was a converter's placeholder, for which 2B4T's own template stands in. */
  readonly isReplacement: boolean;
  readonly #template: JinjaTemplate;
  readonly #variables: Record<string, unknown>;
  readonly #origin: string;

  /**
   * @param source Jinja text
   * @param config tokenizer_config.json, for the texts of `bos_token` and the others
   * @param origin for messages: what the template came from
   * @throws {ChatTemplateError} if it is not valid Jinja
   */
  constructor(source: string, config: Record<string, unknown> | null, origin: string) {
    this.isReplacement = isPlaceholder(source);
    this.source = this.isReplacement ? bitnet2B4T : source;
    this.#origin = origin;
    this.#variables = tokenTexts(config);
    this.#template = this.#named("is not valid", () => new JinjaTemplate(this.source, chatEnvironment));
  }

  /**
   * The text of a conversation. Encode it without special tokens: the template writes them itself.
   * @throws {ChatTemplateError} if the template refuses the messages (roles that do not alternate, say)
   */
  render(messages: readonly (ChatMessage | TemplateMessage)[], options: RenderOptions = {}): string {
    return this.renderWithSpans(messages, options).text;
  }

  /**
   * The same, with what the template marks as the assistant's own words.
   * @throws {ChatTemplateError}
   */
  renderWithSpans(messages: readonly (ChatMessage | TemplateMessage)[], options: RenderOptions = {}): RenderedChat {
    const { addGenerationPrompt = true, tools = null, documents = null, variables = {} } = options;
    return this.#named("fails", () =>
      this.#template.renderWithSpans({
        ...this.#variables,
        ...variables,
        messages: messages.map(templateMessage),
        tools,
        documents,
        add_generation_prompt: addGenerationPrompt,
      }),
    );
  }

  #named<T>(problem: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof JinjaError)) throw error;
      throw new ChatTemplateError(`${this.#origin}: the chat template ${problem}: ${error.message}`);
    }
  }
}
