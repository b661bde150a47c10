/** `/v1/chat/completions`: an answer to messages by the model's own chat template. */
import type { Generation } from "../../src/language_model/generation.ts";
import type { TemplateMessage } from "../../src/tokenizer/chat_template.ts";
import { unsupported } from "./api_error.ts";
import { type ChatRequest, checkSampling } from "./api_schemas.ts";
import { countTokens, drawnSeed, finishAll, finishReason, generateOptions, mergedPieces, usageOf } from "./choices.ts";
import type { EventStream } from "./event_stream.ts";
import type { ApiMetrics } from "./metrics.ts";
import type { ServedModel } from "./served_model.ts";
import { type ChatLogprobs, chatLogprobs } from "./token_logprobs.ts";
import { parsedArguments, type ToolCall, ToolCallReader } from "./tool_calls.ts";

/** What a template is given: messages whose content is text. @throws {ApiError} 400 for pictures and the like */
export function templateMessages(messages: ChatRequest["messages"]): TemplateMessage[] {
  return messages.map(({ content, ...message }, i) => ({
    ...message,
    ...(message.tool_calls !== undefined && { tool_calls: parsedArguments(message.tool_calls) }),
    content: Array.isArray(content)
      ? content
          .map((part, k) => {
            if (part.type === "text") return part.text ?? "";
            throw unsupported(`messages.${i}.content.${k}`, `parts of type ${part.type} are not served`);
          })
          .join("")
      : content,
  }));
}

/** Ids of the text that the template makes of a chat. @throws {ApiError}, {ChatTemplateError} */
export function encodeChat(
  { model }: ServedModel,
  { messages, tools, chat_template_kwargs }: Pick<ChatRequest, "messages" | "tools" | "chat_template_kwargs">,
): number[] {
  const variables = chat_template_kwargs ?? {};
  return model.encode(templateMessages(messages), { tools: tools?.length ? tools : null, variables });
}

/** A request whose fields are checked. Nothing runs before {@link answer} or {@link stream}. */
export class ChatCompletion {
  readonly #served: ServedModel;
  readonly #request: ChatRequest;
  readonly #signal: AbortSignal;
  readonly #usesTools: boolean;
  readonly #ids: readonly number[];
  readonly #generations: Generation[];
  readonly #head: { id: string; created: number; model: string };

  /** @throws {ApiError}, {ChatTemplateError} */
  constructor(served: ServedModel, request: ChatRequest, id: string, signal: AbortSignal) {
    checkSampling(request);
    const { response_format, tools, tool_choice } = request;
    if ((response_format?.type ?? "text") !== "text") {
      throw unsupported("response_format", `${response_format!.type} is not served, only text`);
    }
    if (![undefined, null, "auto", "none"].includes(tool_choice as string)) {
      throw unsupported("tool_choice", "only auto and none are served");
    }
    if ((request.top_logprobs ?? 0) > 0 && !request.logprobs) throw unsupported("top_logprobs", "needs logprobs: true");
    this.#served = served;
    this.#request = request;
    this.#signal = signal;
    this.#usesTools = (tools?.length ?? 0) > 0 && tool_choice !== "none";
    if (this.#usesTools && !/\btools\b/.test(served.model.chatTemplate.source)) {
      throw unsupported("tools", "the model's chat template does not know them");
    }
    this.#head = { id: `chatcmpl-${id}`, created: Math.floor(Date.now() / 1000), model: served.id };
    this.#ids = encodeChat(served, { ...request, tools: this.#usesTools ? tools : null });
    served.checkRoom(request.n ?? 1);
    const seed = drawnSeed();
    const maxTokens = request.max_completion_tokens ?? request.max_tokens ?? undefined;
    this.#generations = Array.from({ length: request.n ?? 1 }, (_, index) =>
      served.generate(this.#ids, { ...generateOptions(request, seed, index), maxTokens, signal }),
    );
  }

  /** The whole answer. */
  async answer(metrics: ApiMetrics): Promise<object> {
    await finishAll(metrics, this.#served, this.#generations);
    const logprobs = await Promise.all(this.#generations.map((generation) => this.#logprobs(generation)));
    const choices = this.#generations.map((generation, index) => {
      const { text, calls } = this.#read(generation.text);
      return {
        index,
        message: {
          role: "assistant",
          content: calls.length > 0 && text === "" ? null : text,
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        logprobs: logprobs[index],
        finish_reason: calls.length > 0 ? "tool_calls" : finishReason(generation),
      };
    });
    return { ...this.#head, object: "chat.completion", choices, usage: this.#usage() };
  }

  /** The answer in pieces. Calls of functions come whole, at its end. */
  async stream(events: EventStream, metrics: ApiMetrics): Promise<void> {
    const head = { ...this.#head, object: "chat.completion.chunk" };
    const chunk = (index: number, delta: object, logprobs: ChatLogprobs | null, finish_reason: string | null) =>
      events.send({ ...head, choices: [{ index, delta, logprobs, finish_reason }] });
    const readers = this.#generations.map(() => new ToolCallReader());
    const told = this.#generations.map(() => 0);
    try {
      for (const index of this.#generations.keys()) await chunk(index, { role: "assistant", content: "" }, null, null);
      for await (const { index, text, ended } of mergedPieces(this.#generations)) {
        const generation = this.#generations[index];
        const logprobs = await this.#logprobs(generation, told[index]);
        told[index] = generation.tokens.length;
        const shown = this.#usesTools ? readers[index].push(text) : text;
        const rest = ended && this.#usesTools ? readers[index].end() : { text: "", calls: [] };
        const content = shown + rest.text;
        if (content !== "" || logprobs !== null) await chunk(index, { content }, logprobs, null);
        if (!ended) continue;
        const calls = rest.calls.map((call, i) => ({ index: i, ...call }));
        if (calls.length > 0) await chunk(index, { tool_calls: calls }, null, null);
        await chunk(index, {}, null, calls.length > 0 ? "tool_calls" : finishReason(generation));
      }
      if (this.#request.stream_options?.include_usage)
        await events.send({ ...head, choices: [], usage: this.#usage() });
    } finally {
      countTokens(metrics, this.#served, this.#generations);
    }
  }

  #read(answer: string): { text: string; calls: ToolCall[] } {
    if (!this.#usesTools) return { text: answer, calls: [] };
    const reader = new ToolCallReader();
    const shown = reader.push(answer);
    const { text, calls } = reader.end();
    return { text: shown + text, calls };
  }

  #usage() {
    return usageOf([this.#ids], this.#generations);
  }

  /** @param from first token of the answer to tell of */
  async #logprobs({ tokens }: Generation, from = 0): Promise<ChatLogprobs | null> {
    if (!this.#request.logprobs) return null;
    const options = { top: this.#request.top_logprobs ?? 0, from: this.#ids.length + from, signal: this.#signal };
    const { model } = this.#served;
    return chatLogprobs(model.tokenizer, await model.logprobs([...this.#ids, ...tokens], options));
  }
}
