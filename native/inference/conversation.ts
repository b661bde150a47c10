/**
 * A conversation by the model's chat template. The keys and values of what has been said stay in a session, so an
 * answer costs only the new message.
 *
 * When the context is full, the oldest exchanges are forgotten (the system message stays): as many as leave half of the
 * context free, since what remains must be read again.
 */
import type { GenerateOptions, Generation, PreparedPrompt } from "../../src/language_model/generation.ts";
import { RequestError } from "../../src/language_model/request_error.ts";
import type { ChatMessage, ChatTemplate } from "../../src/tokenizer/chat_template.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import type { Session } from "./session.ts";

export interface ConversationOptions {
  /** The system message. */
  system?: string;
  /** Positions to keep; default: the model's context length. */
  contextLength?: number;
}

/** What a conversation needs of a model. */
export interface ConversationModel {
  readonly tokenizer: Tokenizer;
  readonly chatTemplate: ChatTemplate;
  readonly endIds: ReadonlySet<number>;
  generation(prepare: () => Promise<PreparedPrompt>, options: GenerateOptions): Generation;
}

/** Text and ids of what the model has seen and said; the cache holds the first ids of it. */
interface Transcript {
  text: string;
  ids: number[];
}

// Room that is kept for an answer, as a part of the context.
const answerShare = 1 / 4;

/** Made by `TextModel.startConversation`. Gives one answer at a time. */
export class Conversation {
  readonly #model: ConversationModel;
  readonly #session: Session;
  #system: string | undefined;
  #messages: ChatMessage[] = [];
  #forgotten = 0;
  #transcript: Transcript = { text: "", ids: [] };
  #busy = false;

  /** @param session for this conversation alone; it is disposed with it */
  constructor(model: ConversationModel, session: Session, { system }: Pick<ConversationOptions, "system">) {
    this.#model = model;
    this.#session = session;
    this.#system = system;
  }

  /** What the model sees at its next answer: the system message, then what is not forgotten. */
  get messages(): readonly ChatMessage[] {
    return this.#withSystem(this.#messages);
  }

  #withSystem(messages: readonly ChatMessage[]): ChatMessage[] {
    return this.#system === undefined ? [...messages] : [{ role: "system", content: this.#system }, ...messages];
  }

  /** Messages that the context had no more room for. */
  get forgottenMessages(): number {
    return this.#forgotten;
  }

  get system(): string | undefined {
    return this.#system;
  }

  /** Starts again; with `system`, under another system message ("": none). */
  reset(system?: string): void {
    this.#checkIdle();
    if (system !== undefined) this.#system = system === "" ? undefined : system;
    this.#messages = [];
    this.#forgotten = 0;
  }

  /**
   * Answers a message. Both become part of the conversation when the answer ends, also by an abort or when the caller
   * stops reading, as far as it had got; without a single character of an answer neither does.
   * @throws {RequestError} (from the iteration) if the message alone does not fit in the context, or another
   *   answer is in progress.
   */
  send(content: string, options: GenerateOptions = {}): Generation {
    return this.#answer(() => [...this.#messages, { role: "user", content }], options);
  }

  /** Answers the last message again (with another seed, say) in place of its answer. */
  retry(options: GenerateOptions = {}): Generation {
    if (this.#messages.length === 0) throw new RequestError("there is no message to answer again");
    return this.#answer(() => this.#messages.slice(0, -1), options);
  }

  #answer(asked: () => ChatMessage[], options: GenerateOptions): Generation {
    const generation: Generation = this.#model.generation(async () => {
      this.#checkIdle();
      this.#busy = true;
      try {
        return await this.#prepare(asked(), options, () => generation.text);
      } catch (error) {
        this.#busy = false;
        throw error;
      }
    }, options);
    return generation;
  }

  async #prepare(
    asked: readonly ChatMessage[],
    options: GenerateOptions,
    answer: () => string,
  ): Promise<PreparedPrompt> {
    const { messages, prompt } = this.#fit(asked, options.maxTokens);
    const session = this.#session;
    // At least one id must run, to predict what follows it.
    const kept = Math.min(commonPrefix(prompt.ids, this.#transcript.ids), session.length(), prompt.ids.length - 1);
    await session.truncate(kept);
    return {
      source: session,
      slot: 0,
      ids: prompt.ids.slice(kept),
      cached: kept,
      release: (drawn) => {
        this.#busy = false;
        const ids = drawn.filter((id) => !this.#model.endIds.has(id));
        this.#transcript = {
          text: prompt.text + this.#model.tokenizer.decode(ids, { skipSpecialTokens: false }),
          ids: [...prompt.ids, ...ids],
        };
        if (answer() === "") return;
        this.#forgotten += asked.length - messages.length;
        this.#messages = [...messages, { role: "assistant", content: answer() }];
      },
    };
  }

  /** The newest messages that leave room for an answer, and their ids. */
  #fit(asked: readonly ChatMessage[], maxTokens: number | undefined): { messages: ChatMessage[]; prompt: Transcript } {
    const { capacity } = this.#session;
    const reserved = Math.min(maxTokens ?? capacity, Math.floor(capacity * answerShare));
    let messages = [...asked];
    let prompt = this.#encode(messages);
    if (prompt.ids.length + reserved <= capacity) return { messages, prompt };
    while (messages.length > 1 && prompt.ids.length > Math.min(capacity / 2, capacity - reserved)) {
      messages = messages.slice(2);
      prompt = this.#encode(messages);
    }
    if (prompt.ids.length > capacity) {
      throw new RequestError(
        `the message is too long: with the system message it has ${prompt.ids.length} tokens, the context ${capacity}`,
      );
    }
    return { messages, prompt };
  }

  /**
   * Ids of the messages, the model's own answers with the ids that it drew: text that was seen already keeps its ids,
   * if what follows begins with a special token, so that it is split in the same place.
   */
  #encode(messages: readonly ChatMessage[]): Transcript {
    const { tokenizer, chatTemplate } = this.#model;
    const text = chatTemplate.render(this.#withSystem(messages));
    const seen = this.#transcript;
    if (seen.text !== "" && text.startsWith(seen.text)) {
      const more = tokenizer.encode(text.slice(seen.text.length), { addSpecialTokens: false });
      const cut = more.length === 0 || tokenizer.tokenBytes(more[0]).length === 0;
      if (cut) return { text, ids: [...seen.ids, ...more] };
    }
    return { text, ids: tokenizer.encode(text, { addSpecialTokens: false }) };
  }

  #checkIdle(): void {
    if (this.#busy) throw new RequestError("the conversation is answering already");
  }

  /** Frees the cache. */
  dispose(): void {
    this.#session.dispose();
  }
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}
