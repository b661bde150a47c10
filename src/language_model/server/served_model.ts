/** What a server's list of models (`GET /models`) tells: which software answers, and how that one must be asked. */
import type { Scoring } from "./completions_language_model.ts";
import type { PromptForm } from "./prompt_form.ts";

interface ServedModel {
  id: string;
  owned_by?: string;
  /** vLLM's name for the context length. */
  max_model_len?: number;
  /** llama.cpp's. */
  meta?: { n_ctx?: number; n_params?: number } | null;
}

export function servedModels(answer: unknown): ServedModel[] {
  const data = (answer as { data?: unknown } | null)?.data;
  const isModel = (entry: unknown): entry is ServedModel => typeof (entry as ServedModel | null)?.id === "string";
  return Array.isArray(data) ? data.filter(isModel) : [];
}

export interface ServerTraits {
  isLlamaCpp: boolean;
  scoring: Scoring;
  promptForm: PromptForm;
  sampling: Record<string, number>;
  /** Tokens of a prompt and its completion, if the server tells. */
  contextLength: number | undefined;
  parameters: number | undefined;
}

/** Both programs truncate the distribution, and llama-cpp-python penalizes repetition (1.1), unless told not to. */
const neutralSampling = { top_k: 0, top_p: 1, min_p: 0, repeat_penalty: 1 };

export function serverTraits(served: ServedModel | undefined): ServerTraits {
  const isLlamaCpp = served?.owned_by === "llamacpp";
  const isLlamaCppPython = served?.owned_by === "me";
  const { n_ctx, n_params } = served?.meta ?? {};
  return {
    isLlamaCpp,
    scoring: isLlamaCpp ? "forced" : "echo",
    promptForm: isLlamaCppPython ? "text" : "ids",
    sampling: isLlamaCpp || isLlamaCppPython ? neutralSampling : {},
    contextLength: served?.max_model_len ?? n_ctx,
    parameters: n_params,
  };
}
