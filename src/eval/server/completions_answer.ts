/**
 * What a completions server answers, checked, and the scores in it.
 *
 * Two forms of log-probabilities are in use: OpenAI's `{ token_logprobs, top_logprobs, tokens }` with one entry for each
 * token of prompt and text, and llama.cpp's `{ content: [{ id, logprob, top_logprobs: [{ id, ... }] }] }`, which covers
 * generated tokens only.
 */
import { z } from "zod";
import type { LoglikelihoodRequest, LoglikelihoodResult } from "../language_model.ts";
import { ServerError } from "./server_error.ts";

const echoedLogprobs = z.object({
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
const answerSchema = z.object({ choices: z.array(choiceSchema).min(1) });

export type Choice = z.infer<typeof choiceSchema>;

/** The choices of an answer in the order of its prompts. @param where for the message */
export function readChoices(answer: unknown, count: number, where: string): Choice[] {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw new ServerError(`${where}: the answer is no completion: ${path.join(".") || "it"}: ${message}`);
  }
  const { choices } = parsed.data;
  if (choices.length !== count) {
    throw new ServerError(`${where}: ${choices.length} choices for ${count} prompts`);
  }
  return choices.every(({ index }) => index !== undefined) ? choices.sort((a, b) => a.index! - b.index!) : choices;
}

/** `token_logprobs` of the continuation in an answer that repeats the prompt. */
export function echoedScore(
  { logprobs }: Choice,
  { context, continuation }: LoglikelihoodRequest,
  where: string,
): LoglikelihoodResult {
  const length = context.length + continuation.length;
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
  // One token is generated besides, because not every server takes max_tokens 0.
  if (count !== length && count !== length + 1) {
    throw new ServerError(
      `${where}: ${count} log-probabilities for a prompt of ${length} tokens: is tokenizer= the server's?`,
    );
  }
  const values = logprobs.token_logprobs.slice(context.length, length);
  const missing = values.indexOf(null);
  if (missing >= 0) {
    throw new ServerError(`${where}: no log-probability of token ${context.length + missing} of the prompt`);
  }
  const tokenLogprobs = Float32Array.from(values as number[]);
  const isGreedy = values.every((value, i) => {
    const top = logprobs.top_logprobs?.[context.length + i];
    if (!top) throw new ServerError(`${where}: top_logprobs is missing: the server must support logprobs=1`);
    return value! >= Math.max(...Object.values(top));
  });
  return { logprob: (values as number[]).reduce((sum, value) => sum + value, 0), isGreedy, tokenLogprobs };
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
  return { logprob: value, isGreedy: value >= Math.max(...Object.values(top)) };
}
