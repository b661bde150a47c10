/** How fast a model reads a prompt and writes: one prompt of up to 512 tokens, up to 128 tokens written, measured here. */
import type { LanguageModel } from "../../language_model/language_model.ts";

const promptTokens = 512;
const writtenTokens = 128;
/** A model that is very slow is measured on fewer tokens. */
const longestSeconds = 30;

export interface DecodeSpeed {
  /** Of the prompt. */
  promptTokens: number;
  /** Until the first token, seconds; null if there was none. */
  firstToken: number | null;
  /** Tokens after the first one. */
  writtenTokens: number;
  /** Seconds for each of them (time per output token); null if there was none. */
  perToken: number | null;
}

/** Ids of `text` and its repetitions from the second word on: a server that has seen it keeps what begins like it. */
function unseenPrompt({ tokenizer }: LanguageModel, text: string, length: number): number[] {
  const words = text.replace(/^\s*\S+\s+(?=\S)/, "");
  const count = Math.ceil(length / tokenizer.encode(words).length) + 1;
  const ids = tokenizer.encode(`${words} `.repeat(count));
  return ids.slice(0, length);
}

/**
 * @param text any text that is long enough; it is repeated if not
 * @param now seconds; replaced by tests
 */
export async function measureDecodeSpeed(
  model: LanguageModel,
  text: string,
  signal?: AbortSignal,
  now: () => number = () => performance.now() / 1000,
): Promise<DecodeSpeed> {
  const written = Math.min(writtenTokens, Math.max(2, Math.floor(model.maxLength / 4)));
  const length = Math.max(1, Math.min(promptTokens, model.maxLength - written));
  const ids = unseenPrompt(model, text, length);

  const start = now();
  let first: { time: number; count: number } | undefined;
  let last = { time: start, count: 0 };
  const request = { context: ids, until: [], maxTokens: written };
  for await (const { tokens } of model.stream(request, { signal })) {
    if (tokens > last.count) {
      last = { time: now(), count: tokens };
      first ??= last;
    }
    if (last.time - start > longestSeconds) break;
  }
  const after = first === undefined ? 0 : last.count - first.count;
  return {
    promptTokens: length,
    firstToken: first === undefined ? null : first.time - start,
    writtenTokens: after,
    perToken: first === undefined || after === 0 ? null : (last.time - first.time) / after,
  };
}
