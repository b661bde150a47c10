/** `bitnet-lab/inference`: GGUF files in the native engine, without tfjs. */

export {
  type GeneratedToken,
  type GenerateOptions,
  Generation,
  type GenerationUsage,
} from "../../src/language_model/generation.ts";
export type { LikelyToken, StopReason } from "../../src/language_model/language_model.ts";
export { type LogprobsOptions, logprobsOf, type TokenLogprob } from "../../src/language_model/likely_tokens.ts";
export { RequestError as EngineRequestError } from "../../src/language_model/request_error.ts";
export type { SamplingOptions } from "../../src/language_model/sampling.ts";
export {
  type ChatMessage,
  ChatTemplate,
  knownChatTemplates,
  type RenderedChat,
  type RenderOptions,
  type TemplateMessage,
} from "../../src/tokenizer/chat_template.ts";
export { ChatTemplateError } from "../../src/tokenizer/chat_template_error.ts";
export { NativeUnavailableError } from "../addon.ts";
export { Conversation, type ConversationOptions } from "./conversation.ts";
export { Engine, type EngineConfig, type EngineOptions } from "./engine.ts";
export { EngineDisposedError, ModelFileError } from "./native_engine.ts";
export { NativeLanguageModel } from "./native_language_model.ts";
export type { Session } from "./session.ts";
export { type LoadModelOptions, loadModel, type Prompt, TextModel, type TextOrIds } from "./text_model.ts";
