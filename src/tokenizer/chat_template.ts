/**
 * Chat templates: a model's own Jinja template (`chat_template` of tokenizer_config.json, `tokenizer.chat_template` of a
 * GGUF file) turns messages into the text that the model was trained on. Rendered as Hugging Face transformers does
 * (`apply_chat_template`), by their library for JavaScript.
 */
import { Template } from "@huggingface/jinja";
import { UserError } from "../errors/user_error.ts";

export interface ChatMessage {
  /** `system`, `user`, `assistant`, or whatever else the template knows. */
  role: string;
  content: string;
}

/** There is no template, it is not valid, or it refuses the messages. */
export class ChatTemplateError extends UserError {
  override name = "ChatTemplateError";
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

/** The template of a tokenizer_config.json: the only one, or the one named "default" of several. Null if there is none. */
export function chatTemplateSource(config: Record<string, unknown> | null): string | null {
  const entry = config?.chat_template;
  if (typeof entry === "string") return entry;
  if (!Array.isArray(entry)) return null;
  const named = entry.find((candidate) => candidate?.name === "default");
  return typeof named?.template === "string" ? named.template : null;
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

export class ChatTemplate {
  /** Jinja. */
  readonly source: string;
  /** True if the given text was a converter's placeholder, for which 2B4T's own template stands in. */
  readonly isReplacement: boolean;
  readonly #template: Template;
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
    try {
      this.#template = new Template(this.source);
    } catch (error) {
      throw new ChatTemplateError(`${origin}: the chat template is not valid: ${(error as Error).message}`);
    }
  }

  /**
   * The text of a conversation. Encode it without special tokens: the template writes them itself.
   * @param addGenerationPrompt ends with what comes before an answer (default true)
   * @throws {ChatTemplateError} if the template refuses the messages (roles that do not alternate, say)
   */
  render(
    messages: readonly ChatMessage[],
    { addGenerationPrompt = true }: { addGenerationPrompt?: boolean } = {},
  ): string {
    try {
      return this.#template.render({
        ...this.#variables,
        messages: messages.map(({ role, content }) => ({ role, content })),
        add_generation_prompt: addGenerationPrompt,
      });
    } catch (error) {
      throw new ChatTemplateError(`${this.#origin}: the chat template fails: ${(error as Error).message}`);
    }
  }
}
