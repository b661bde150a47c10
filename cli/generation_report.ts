/** What `bitnet-generate` tells besides the text: log-probabilities of its tokens, as lines or as JSON. */

import stringWidth from "string-width";
import { largest } from "../src/arrays/large_arrays.ts";
import type { StopReason } from "../src/language_model/language_model.ts";
import type { TokenLogprob } from "../src/language_model/likely_tokens.ts";

/** Control characters and spaces can be seen. */
const quoted = (text: string) => JSON.stringify(text);
const padded = (text: string, width: number) => text + " ".repeat(Math.max(0, width - stringWidth(text)));

/** A line for each token: the token, its log-probability, its share in percent, and the likeliest ones at its place. */
export function logprobLines(tokens: readonly TokenLogprob[]): string[] {
  const width = largest(
    tokens.map(({ text }) => stringWidth(quoted(text))),
    "token".length,
  );
  const isLong = tokens.some(({ top }) => top.length > 0);
  return [
    `${padded("token", width)}  logprob  percent${isLong ? "  likeliest" : ""}`,
    ...tokens.map(({ text, logprob, top }) => {
      const value = (logprob ?? Number.NaN).toFixed(4).padStart(8);
      const percent = (100 * Math.exp(logprob ?? Number.NaN)).toFixed(2).padStart(6);
      const others = top.map((token) => `${quoted(token.text)} ${token.logprob.toFixed(4)}`).join("  ");
      return `${padded(quoted(text), width)} ${value}  ${percent}%${others && `  ${others}`}`;
    }),
  ];
}

export interface GenerationReport {
  model: string;
  prompt: string;
  text: string;
  /** Null where it is not known. */
  stop_reason: StopReason | null;
  prompt_tokens: number;
  generated_tokens: number;
  seconds: number;
  temperature: number;
  /** Null without sampling. */
  seed: number | null;
  /** Where log-probabilities were asked for: every token drawn, the one that ended the text included. */
  tokens?: readonly TokenLogprob[];
}
