/**
 * What a completions server answers, checked, and the scores in it.
 *
 * Two forms of log-probabilities are in use: OpenAI's `{ token_logprobs, top_logprobs, tokens }` with one entry for each
 * token of prompt and text, and llama.cpp's `{ content: [{ id, logprob, top_logprobs: [{ id, ... }] }] }`, which covers
 * generated tokens only.
 */

import { z } from "zod";
import { largest } from "../../arrays/large_arrays.ts";
import type { LikelyToken, LoglikelihoodRequest, LoglikelihoodResult } from "../language_model.ts";
import { ServerError } from "./server_error.ts";

const echoedLogprobs = z.object({
  tokens: z.array(z.string()).nullish(),
  token_logprobs: z.array(z.number().nullable()),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
});
const generatedLogprobs = z.object({
  content: z.array(
    z.object({
      id: z.number(),
      logprob: z.number(),
      top_logprobs: z.array(z.object({ id: z.number(), logprob: z.number() })).optional(),
    }),
  ),
});
const choiceSchema = z.object({
  index: z.number().optional(),
  text: z.string(),
  finish_reason: z.string().nullish(),
  logprobs: z.union([generatedLogprobs, echoedLogprobs]).nullish(),
});
const answerSchema = z.object({
  choices: z.array(choiceSchema).min(1),
  usage: z.object({ prompt_tokens: z.number().nullish() }).nullish(),
});

/**
 * Tokens that a server may list behind the prompt. One is asked for, because not every server takes max_tokens 0; an end of
 * the text is not listed, and llama-cpp-python goes on until a character is whole.
 */
const mostGenerated = 4;

export type Choice = z.infer<typeof choiceSchema>;

/**
 * The choices of an answer in the order of its prompts.
 * @param where for the message
 * @param promptTokens of all prompts together, if the server tokenized them: its own count must be the same
 */
export function readChoices(answer: unknown, count: number, where: string, promptTokens?: number): Choice[] {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw new ServerError(
      `${where}: the answer is no completion: ${path.join(".") || "it"}: ${message}` +
        (where.includes("/v1") ? "" : "; addresses end in /v1"),
    );
  }
  const { choices, usage } = parsed.data;
  if (choices.length !== count) {
    throw new ServerError(`${where}: ${choices.length} choices for ${count} prompts`);
  }
  const counted = usage?.prompt_tokens;
  if (promptTokens !== undefined && typeof counted === "number" && counted !== promptTokens) {
    throw new ServerError(
      `${where}: ${counted} tokens counted in a prompt of ${promptTokens}: is tokenizer= the server's?`,
    );
  }
  return choices.every(({ index }) => index !== undefined) ? choices.sort((a, b) => a.index! - b.index!) : choices;
}

/** Log-probabilities of the tokens of a prompt that an answer repeats. */
interface EchoedPrompt {
  /** Of each token after the ones before it; null where there are none, as before the first. */
  values: (number | null)[];
  /** Those of the likeliest tokens at the same place. */
  top: (Record<string, number> | null)[] | null | undefined;
}

/**
 * @param length ids of the prompt
 * @param bosText of the first id, if it is BOS: llama-cpp-python leaves it out of its lists
 */
function echoedPrompt({ logprobs }: Choice, length: number, bosText: string | null, where: string): EchoedPrompt {
  if (!logprobs) {
    throw new ServerError(
      `${where}: the answer has no log-probabilities (choices[0].logprobs): the server must support echo and logprobs`,
    );
  }
  const count = "content" in logprobs ? logprobs.content.length : logprobs.token_logprobs.length;
  if ("content" in logprobs || (count <= 1 && length > 2)) {
    throw new ServerError(
      `${where}: log-probabilities of ${count} generated tokens only: the server ignores echo; ` +
        "scoring=forced asks for one token at a time (llama.cpp)",
    );
  }
  const { tokens, token_logprobs: values, top_logprobs: top } = logprobs;
  const withoutBos = bosText !== null && tokens?.[0] !== undefined && tokens[0] !== bosText;
  const listed = withoutBos ? length - 1 : length;
  if (count < listed || count > listed + mostGenerated) {
    throw new ServerError(
      `${where}: ${count} log-probabilities for a prompt of ${listed} tokens: is tokenizer= the server's?`,
    );
  }
  return withoutBos ? { values: [null, ...values], top: top && [null, ...top] } : { values, top };
}

/** `token_logprobs` of the continuation in an answer that repeats the prompt. @param bosText see `echoedPrompt` */
export function echoedScore(
  choice: Choice,
  { context, continuation, top: likely = 0 }: LoglikelihoodRequest,
  bosText: string | null,
  where: string,
  idOf: (text: string) => number | null = () => null,
): LoglikelihoodResult {
  const length = context.length + continuation.length;
  const prompt = echoedPrompt(choice, length, bosText, where);
  const values = prompt.values.slice(context.length, length);
  const missing = values.indexOf(null);
  if (missing >= 0) {
    throw new ServerError(`${where}: no log-probability of token ${context.length + missing} of the prompt`);
  }
  const tokenLogprobs = Float32Array.from(values as number[]);
  const isGreedy = values.every((value, i) => {
    const top = prompt.top?.[context.length + i];
    if (!top) throw new ServerError(`${where}: top_logprobs is missing: the server must support logprobs=1`);
    return value! >= largest(Object.values(top));
  });
  const top = values.map((_, i) => likelyOfTexts(prompt.top![context.length + i]!, likely, idOf));
  const logprob = (values as number[]).reduce((sum, value) => sum + value, 0);
  return { logprob, isGreedy, tokenLogprobs, ...(likely > 0 && { top }) };
}

/** Log-probabilities of the likeliest tokens at one place, by their texts. */
export type TopLogprobs = Record<string, number>;

/** Of the one generated token, in OpenAI's form; null if none is told. */
export function generatedTop({ logprobs }: Choice): TopLogprobs | null {
  return (logprobs && !("content" in logprobs) && logprobs.top_logprobs?.[0]) || null;
}

/** At the first id of the continuation. @param bosText see `echoedPrompt` */
export function echoedTop(
  choice: Choice,
  { context, continuation }: LoglikelihoodRequest,
  bosText: string | null,
  where: string,
): TopLogprobs | null {
  return echoedPrompt(choice, context.length + continuation.length, bosText, where).top?.[context.length] ?? null;
}

/** The likeliest tokens of an echoed place, whose ids the server does not tell. */
export function likelyOfTexts(top: TopLogprobs, count: number, idOf: (text: string) => number | null): LikelyToken[] {
  return Object.entries(top)
    .map(([text, logprob]) => ({ id: idOf(text), text, logprob: Math.fround(logprob) }))
    .sort((a, b) => b.logprob - a.logprob)
    .slice(0, count);
}

/** The likeliest tokens before the one generated token was forced: llama.cpp's form tells their ids. */
export function likelyOfIds({ logprobs }: Choice, count: number, textOf: (id: number) => string): LikelyToken[] | null {
  const listed = logprobs && "content" in logprobs ? logprobs.content[0]?.top_logprobs : undefined;
  if (listed === undefined) return null;
  return listed.slice(0, count).map(({ id, logprob }) => ({ id, text: textOf(id), logprob: Math.fround(logprob) }));
}

/** Log-probability of the one generated token, which was forced to be `id`. */
export function forcedScore({ logprobs }: Choice, id: number, where: string): { logprob: number; isGreedy: boolean } {
  if (!logprobs) throw new ServerError(`${where}: the answer has no log-probabilities (choices[0].logprobs)`);
  if ("content" in logprobs) {
    const [token] = logprobs.content;
    if (token === undefined) throw new ServerError(`${where}: no token was generated`);
    if (token.id !== id) {
      throw new ServerError(`${where}: token ${token.id} was generated although logit_bias forces ${id}`);
    }
    const [top] = token.top_logprobs ?? [];
    if (top === undefined)
      throw new ServerError(`${where}: top_logprobs is missing: the server must support logprobs=1`);
    return { logprob: token.logprob, isGreedy: top.id === id };
  }
  const [value] = logprobs.token_logprobs;
  const top = logprobs.top_logprobs?.[0];
  if (value === undefined || value === null || !top) {
    throw new ServerError(`${where}: no log-probability of the generated token`);
  }
  return { logprob: value, isGreedy: value >= largest(Object.values(top)) };
}

/** Log-probability of `id` from the list of all tokens that comes with another one. llama.cpp's form. */
export function listedScore({ logprobs }: Choice, id: number, where: string): { logprob: number; isGreedy: boolean } {
  const top = logprobs && "content" in logprobs ? (logprobs.content[0]?.top_logprobs ?? []) : [];
  const listed = top.find((token) => token.id === id);
  if (listed === undefined) throw new ServerError(`${where}: no log-probability of token ${id}, a part of a character`);
  return { logprob: listed.logprob, isGreedy: top[0].id === id };
}
