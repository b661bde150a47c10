/** Log-probabilities in the two forms that OpenAI's API has for them. Tokens that end a text are listed, too. */
import type { TokenLogprob } from "../../src/language_model/likely_tokens.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

/** Of completions: lists by token, the likeliest ones by their texts. */
export interface CompletionLogprobs {
  tokens: string[];
  token_logprobs: (number | null)[];
  top_logprobs: (Record<string, number> | null)[];
  /** Index of each token's first character, in UTF-16 units of the tokens' texts put together. */
  text_offset: number[];
}

/** @param offset characters before the first token */
export function completionLogprobs(listed: readonly TokenLogprob[], offset = 0): CompletionLogprobs {
  const result: CompletionLogprobs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
  let at = offset;
  for (const { text, logprob, top } of listed) {
    result.tokens.push(text);
    result.token_logprobs.push(logprob);
    result.top_logprobs.push(logprob === null ? null : byText(top));
    result.text_offset.push(at);
    at += text.length;
  }
  return result;
}

/** Of tokens with the same text (parts of characters) the likeliest. */
function byText(top: TokenLogprob["top"]): Record<string, number> {
  const entries: Record<string, number> = {};
  for (const { text, logprob } of top) if (!Object.hasOwn(entries, text)) entries[text] = logprob;
  return entries;
}

interface ChatToken {
  token: string;
  logprob: number;
  bytes: number[];
}

/** Of chats: an object for each token. */
export interface ChatLogprobs {
  content: (ChatToken & { top_logprobs: ChatToken[] })[];
}

export function chatLogprobs(tokenizer: Tokenizer, listed: readonly TokenLogprob[]): ChatLogprobs {
  const token = (id: number | null, text: string, logprob: number): ChatToken => {
    const bytes = id === null ? new TextEncoder().encode(text) : tokenizer.tokenBytes(id);
    return { token: text, logprob, bytes: Array.from(bytes) };
  };
  return {
    content: listed.map(({ id, text, logprob, top }) => ({
      ...token(id, text, logprob ?? 0),
      top_logprobs: top.map((other) => token(other.id, other.text, other.logprob)),
    })),
  };
}
