/** A completions server, one of its models, and what a prompt to it looks like. */
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { tokenText } from "../likely_tokens.ts";
import type { CompletionsClient } from "./completions_client.ts";
import { isBosImplied, type PromptForm, promptText } from "./prompt_form.ts";
import { ServerError } from "./server_error.ts";

export interface EndpointOptions {
  client: CompletionsClient;
  /** As the server calls it. */
  model: string;
  tokenizer: Tokenizer;
  promptForm: PromptForm;
}

export class CompletionsEndpoint {
  readonly client: CompletionsClient;
  readonly model: string;
  readonly tokenizer: Tokenizer;
  readonly promptForm: PromptForm;
  private idsByText: Map<string, number | null> | undefined;

  constructor({ client, model, tokenizer, promptForm }: EndpointOptions) {
    this.client = client;
    this.model = model;
    this.tokenizer = tokenizer;
    this.promptForm = promptForm;
  }

  /** For messages. */
  get where(): string {
    return `${this.client.url}/completions`;
  }

  /** The answer to a request, `body` without the model's name. @throws {ServerError}, or the signal's reason. */
  async complete(body: object, signal?: AbortSignal): Promise<unknown> {
    try {
      return await this.client.post("completions", { model: this.model, ...body }, signal);
    } catch (error) {
      const asksForText =
        this.promptForm === "ids" && error instanceof ServerError && /valid string|string_type/.test(error.message);
      throw asksForText ? new ServerError(`${error.message}; prompts=text sends text, not token ids`) : error;
    }
  }

  /** The data of the server's events. @throws {ServerError}, or the signal's reason. */
  events(body: object, signal?: AbortSignal): AsyncGenerator<unknown, void> {
    return this.client.events("completions", { model: this.model, ...body }, signal);
  }

  /** The only token of that text; null if there is none, or several (parts of a character). */
  readonly idOfText = (text: string): number | null => {
    this.idsByText ??= idsByText(this.tokenizer);
    return this.idsByText.get(text) ?? null;
  };

  prompt(ids: readonly number[]): readonly number[] | string {
    return this.promptForm === "ids" ? ids : promptText(this.tokenizer, ids, this.where);
  }

  /** Text of a BOS that the server puts in front by itself. */
  impliedBos(ids: readonly number[]): string | null {
    if (this.promptForm === "ids" || !isBosImplied(this.tokenizer, ids)) return null;
    return this.tokenizer.decode(ids.slice(0, 1), { skipSpecialTokens: false });
  }
}

function idsByText(tokenizer: Tokenizer): Map<string, number | null> {
  const ids = new Map<string, number | null>();
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const text = tokenText(tokenizer, id);
    ids.set(text, ids.has(text) ? null : id);
  }
  return ids;
}
