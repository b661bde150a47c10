/** A GGUF file ready for text: generation, log-likelihoods and conversations, for any number of callers at once. */
import path from "node:path";
import { chatTemplatesOfFile } from "../../src/gguf/chat_template_keys.ts";
import {
  type GenerateOptions,
  Generation,
  type GenerationSource,
  type PreparedPrompt,
} from "../../src/language_model/generation.ts";
import type { LoglikelihoodResult } from "../../src/language_model/language_model.ts";
import { type LogprobsOptions, logprobsOf, type TokenLogprob } from "../../src/language_model/likely_tokens.ts";
import { RequestEncoder } from "../../src/language_model/request_encoding.ts";
import { RequestError } from "../../src/language_model/request_error.ts";
import {
  type ChatMessage,
  ChatTemplate,
  knownChatTemplates,
  type RenderOptions,
  type TemplateMessage,
} from "../../src/tokenizer/chat_template.ts";
import { ChatTemplateError } from "../../src/tokenizer/chat_template_error.ts";
import { chooseChatTemplate } from "../../src/tokenizer/chat_templates.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { Conversation, type ConversationModel, type ConversationOptions } from "./conversation.ts";
import type { EngineConfig } from "./engine.ts";
import { NativeLanguageModel, type NativeModelOptions } from "./native_language_model.ts";

export interface LoadModelOptions extends NativeModelOptions {
  /** Jinja text, the name of one of several templates of the file, or one of `knownChatTemplates`. */
  chatTemplate?: string;
}

/** Text to continue, messages to answer by the chat template, or token ids. */
export type Prompt = string | readonly (ChatMessage | TemplateMessage)[] | readonly number[];

/** Text, or token ids. */
export type TextOrIds = string | readonly number[];

// Prompt tokens per native call: large parts are the fastest, small ones let others have their turn.
const lonePromptPart = 256;
const sharedPromptPart = 32;

/**
 * Opens a GGUF file.
 * @throws {ModelFileError} if it is missing, malformed, of a kind that the engine does not run, or has no tokenizer.
 */
export async function loadModel(file: string, options: LoadModelOptions = {}): Promise<TextModel> {
  return new TextModel(await NativeLanguageModel.open(file, options), options.chatTemplate);
}

/** Made by {@link loadModel}. */
export class TextModel {
  /** The same model for `evaluate()`. */
  readonly languageModel: NativeLanguageModel;
  readonly tokenizer: Tokenizer;
  readonly config: EngineConfig;
  readonly #encoder: RequestEncoder;
  readonly #givenTemplate: string | undefined;
  #template: ChatTemplate | null = null;
  /** Generations that hold a session. */
  readonly #running = new Set<object>();
  #onIdle: (() => void)[] = [];

  constructor(languageModel: NativeLanguageModel, chatTemplate?: string) {
    this.languageModel = languageModel;
    this.tokenizer = languageModel.tokenizer;
    this.config = languageModel.engine.config;
    this.#encoder = new RequestEncoder(this.tokenizer, this.config.contextLength);
    this.#givenTemplate = chatTemplate;
  }

  get path(): string {
    return this.languageModel.name;
  }

  /** Positions of the context. */
  get contextLength(): number {
    return this.config.contextLength;
  }

  /** @throws {ChatTemplateError} if the file has none (of the name that was given), or it is not valid Jinja. */
  get chatTemplate(): ChatTemplate {
    const { metadata, path: file } = this.languageModel.engine;
    const given = this.#givenTemplate;
    const own = chatTemplatesOfFile(metadata, this.tokenizer.config);
    if (given === undefined && own.size === 0) {
      throw new ChatTemplateError(
        `${path.basename(file)} has no chat template: the metadata key tokenizer.chat_template is missing`,
      );
    }
    const isText = given?.includes("{") ?? false;
    const source = isText
      ? given!
      : (knownChatTemplates.get(given ?? "") ?? chooseChatTemplate(own, given, path.basename(file)));
    this.#template ??= new ChatTemplate(source, this.tokenizer.config, path.basename(file));
    return this.#template;
  }

  /**
   * Ids of a prompt: text gets BOS where the tokenizer adds it, messages become the chat template's text.
   * @param chat what the template is given beside the messages: tools, documents, other variables
   * @throws {ChatTemplateError}
   */
  encode(prompt: Prompt, chat: RenderOptions = {}): number[] {
    if (typeof prompt === "string") return this.#encoder.encodePrompt(prompt);
    if (isMessages(prompt)) {
      return this.tokenizer.encode(this.chatTemplate.render(prompt, chat), { addSpecialTokens: false });
    }
    return [...(prompt as readonly number[])];
  }

  /**
   * Continues a prompt. Runs when it is iterated; several may run at once and take turns, each with the text that it
   * would have alone.
   * @throws {RequestError} (from the iteration) if the prompt is empty or longer than the context.
   */
  generate(prompt: Prompt, options: GenerateOptions = {}): Generation {
    const ids = this.encode(prompt);
    return this.generation(async () => {
      if (ids.length === 0) throw new RequestError("the prompt is empty");
      const room = Math.max(1, this.contextLength - ids.length);
      const capacity = Math.min(this.contextLength, ids.length + Math.min(room, options.maxTokens ?? room));
      const session = this.languageModel.engine.createSession({ capacity });
      return { source: session, slot: 0, ids, cached: 0, release: () => session.dispose() };
    }, options);
  }

  /** A generation from a session of the caller's. */
  generation(prepare: () => Promise<PreparedPrompt>, options: GenerateOptions): Generation {
    const owner = {};
    const source: GenerationSource = {
      tokenizer: this.tokenizer,
      endIds: this.languageModel.endIds,
      promptPart: () => (this.#running.size > 1 ? sharedPromptPart : lonePromptPart),
      prepare: async () => {
        this.#running.add(owner);
        try {
          const prompt = await prepare();
          const release = (drawn: readonly number[]) => {
            this.#ended(owner);
            prompt.release(drawn);
          };
          return { ...prompt, release };
        } catch (error) {
          this.#ended(owner);
          throw error;
        }
      },
    };
    return new Generation(source, options);
  }

  #ended(owner: object): void {
    this.#running.delete(owner);
    if (this.#running.size > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /**
   * Log-probability (natural) of a continuation given its context, of every token and in sum. Texts are split into
   * tokens as lm-evaluation-harness does it; many requests at once are `languageModel.loglikelihood`'s.
   * @throws {RequestError} if there is no token to score, or more than the context has room for.
   */
  async loglikelihood(
    context: TextOrIds,
    continuation: TextOrIds,
    { signal, top }: { signal?: AbortSignal; top?: number } = {},
  ): Promise<LoglikelihoodResult> {
    const request =
      typeof context === "string" && typeof continuation === "string"
        ? this.#encoder.encodePair(context, continuation)
        : { context: this.#ids(context), continuation: this.#ids(continuation) };
    const [result] = await this.languageModel.loglikelihood([{ ...request, top }], { signal });
    return result;
  }

  /**
   * Log-probabilities (natural, at temperature 1) of the tokens of a text, and the likeliest ones at their places. Text
   * gets BOS where the tokenizer adds it. Of a generation: `logprobs([...encode(prompt), ...generation.tokens], { from })`.
   * @throws {RequestError} if the text is longer than the context.
   */
  async logprobs(text: Prompt, options: LogprobsOptions = {}): Promise<TokenLogprob[]> {
    return logprobsOf(this.languageModel, this.encode(text), options);
  }

  #ids(text: TextOrIds): readonly number[] {
    return typeof text === "string" ? this.tokenizer.encode(text, { addSpecialTokens: false }) : text;
  }

  /**
   * A conversation that keeps its keys and values between answers.
   * @throws {ChatTemplateError}
   */
  startConversation(options: ConversationOptions = {}): Conversation {
    const { tokenizer, chatTemplate, languageModel } = this;
    const session = languageModel.engine.createSession({ capacity: options.contextLength });
    const generation: ConversationModel["generation"] = (prepare, how) => this.generation(prepare, how);
    return new Conversation({ tokenizer, chatTemplate, endIds: languageModel.endIds, generation }, session, options);
  }

  /** Frees the model at once. Generations and calls in progress end with {@link EngineDisposedError}. */
  dispose(): void {
    this.languageModel.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Frees the model, and waits until the generations in progress have noticed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }
}

function isMessages(prompt: Exclude<Prompt, string>): prompt is Exclude<Prompt, string | readonly number[]> {
  return typeof prompt[0] === "object";
}
