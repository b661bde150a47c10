/** Many texts at once: as many as there are slots run together, and the next one takes the place of each that ends. */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { GeneratedText } from "./generated_text.ts";
import { drawTokens, type RunningText, type TokenSource } from "./generation_loop.ts";
import type { CallOptions, GenerateRequest } from "./language_model.ts";
import { sharingOrder } from "./sharing_order.ts";

/** Places for sequences in a source. */
export interface Slots {
  /** Number of slots without a sequence. */
  readonly free: number;
  /** Takes a free slot for a sequence; `ids` is what has to be appended to it, at least one id. */
  take(context: readonly number[]): Promise<{ slot: number; ids: readonly number[] }>;
  /** The sequence of the slot has ended. */
  release(slot: number): void;
}

export interface TextSource {
  tokens: TokenSource;
  slots: Slots;
  tokenizer: Tokenizer;
  endIds: ReadonlySet<number>;
  /** Tokens between two looks at the stop strings. */
  steps: number;
}

/** Text of each request. A text whose slot has no room left ends there. */
export async function generateTexts(
  { tokens, slots, tokenizer, endIds, steps }: TextSource,
  requests: readonly GenerateRequest[],
  { signal, onDone, onAnswer }: CallOptions<string>,
): Promise<string[]> {
  const texts = requests.map(({ until, maxTokens }) => new GeneratedText(tokenizer, { until, maxTokens, endIds }));
  const order = sharingOrder(requests.map(({ context }) => ({ context, continuation: [] })));
  const waiting = order.filter((index) => !texts[index].ended);
  const active = new Map<RunningText, number>();
  let done = requests.length - waiting.length;
  const next = async () => {
    while (slots.free > 0 && waiting.length > 0) {
      const index = waiting.shift()!;
      const request = requests[index];
      const place = await slots.take(request.context);
      const { maxTokens } = request;
      active.set({ ...place, text: texts[index], sampling: request, maxTokens, drawn: 0 }, index);
    }
    return [...active.keys()];
  };
  for await (const drawn of drawTokens(tokens, next, { steps: () => steps }, { endIds: [...endIds], signal })) {
    for (const { running, ids } of drawn) {
      const { text, slot } = running;
      text.push(Array.from(ids));
      if (!text.ended && tokens.room(slot) > 0) continue;
      slots.release(slot);
      onAnswer?.(active.get(running)!, text.text);
      active.delete(running);
      done++;
    }
    onDone?.(done);
  }
  return texts.map(({ text }) => text);
}
