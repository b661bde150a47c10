/**
 * Bodies of requests, as OpenAI's API has them. Fields that nobody here knows are left alone (clients send `user`, `store`
 * and the like); a field that would change the answer and is not served is refused by its name.
 */
import { z } from "zod";
import { ApiError, unsupported } from "./api_error.ts";

const ids = z.array(z.int().nonnegative());
const stop = z.union([z.string(), z.array(z.string()).max(16)]).nullish();

/** What every request for text may say. */
const sampling = {
  model: z.string().nullish(),
  temperature: z.number().min(0).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: z.int().nonnegative().nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  n: z.int().min(1).max(16).nullish(),
  stop,
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  // Served only with the value that changes nothing.
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  repetition_penalty: z.number().nullish(),
  logit_bias: z.record(z.string(), z.number()).nullish(),
};

export const completionRequest = z.object({
  ...sampling,
  prompt: z.union([z.string(), z.array(z.string()).min(1), ids.min(1), z.array(ids.min(1)).min(1)]),
  max_tokens: z.int().nonnegative().nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.int().min(0).max(100).nullish(),
  best_of: z.int().nullish(),
  suffix: z.string().nullish(),
});
export type CompletionRequest = z.infer<typeof completionRequest>;

const textPart = z.looseObject({ type: z.string(), text: z.string().nullish() });
const message = z.looseObject({
  role: z.string().min(1),
  content: z.union([z.string(), z.array(textPart)]).nullish(),
});
const tool = z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string() }) });

const chat = {
  messages: z.array(message).min(1),
  tools: z.array(tool).nullish(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
};

export const chatRequest = z.object({
  ...sampling,
  ...chat,
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(100).nullish(),
  tool_choice: z.unknown().optional(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
});
export type ChatRequest = z.infer<typeof chatRequest>;

export const tokenizeRequest = z.object({
  model: z.string().nullish(),
  /** llama.cpp's name of `prompt`. */
  content: z.string().nullish(),
  prompt: z.string().nullish(),
  messages: chat.messages.nullish(),
  tools: chat.tools,
  chat_template_kwargs: chat.chat_template_kwargs,
  add_special_tokens: z.boolean().nullish(),
  /** llama.cpp's name of `add_special_tokens`. */
  add_special: z.boolean().nullish(),
});

export const detokenizeRequest = z.object({ model: z.string().nullish(), tokens: ids });

export const templateRequest = z.object({
  model: z.string().nullish(),
  ...chat,
  add_generation_prompt: z.boolean().nullish(),
});

/** @throws {ApiError} 400 naming the first field that is wrong */
export function readBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  const param = path.join(".");
  throw new ApiError(400, param === "" ? message : `${param}: ${message}`, param === "" ? {} : { param });
}

/** @throws {ApiError} 400 for a field that would change the answer and is not served */
export function checkSampling(request: Pick<CompletionRequest, keyof typeof sampling>): void {
  const { presence_penalty, frequency_penalty, repetition_penalty, logit_bias } = request;
  const neutral: [string, number | null | undefined, number][] = [
    ["presence_penalty", presence_penalty, 0],
    ["frequency_penalty", frequency_penalty, 0],
    ["repetition_penalty", repetition_penalty, 1],
  ];
  for (const [param, value, none] of neutral) {
    if ((value ?? none) !== none) throw unsupported(param, `only ${none} is served`);
  }
  if (Object.keys(logit_bias ?? {}).length > 0) throw unsupported("logit_bias", "not served");
}
