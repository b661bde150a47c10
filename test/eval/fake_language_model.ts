/** A LanguageModel without weights: every id's log-probability and every generated text are given by functions. */
import type { GenerateRequest, LanguageModel, LoglikelihoodRequest } from "../../src/language_model/language_model.ts";
import type { ModelFacts } from "../../src/language_model/model_facts.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { modelDirectory, type TinyModel } from "./golden_lm_eval.ts";

export const tinyTokenizer = (model: TinyModel = "tiny-bitnet"): Tokenizer => loadTokenizer(modelDirectory(model));

/** Of a model that is not there. */
export const memoryFacts: ModelFacts = {
  kind: "checkpoint",
  compute: null,
  parameters: 0,
  shape: null,
  linearBytes: null,
  identity: async () => "fake",
};

export interface FakeBehaviour {
  maxLength?: number;
  /** Log-likelihood of a continuation, given its text and the context's. */
  score?(context: string, continuation: string): number;
  generate?(context: string, request: GenerateRequest): string;
}

export function fakeLanguageModel({ maxLength = 256, score, generate }: FakeBehaviour): LanguageModel {
  const tokenizer = tinyTokenizer();
  const text = (ids: readonly number[]) => tokenizer.decode(ids);
  const scoreRequest = ({ context, continuation }: LoglikelihoodRequest) => {
    const logprob = score?.(text(context), text(continuation)) ?? -continuation.length;
    const share = logprob / continuation.length;
    return { logprob, isGreedy: false, tokenLogprobs: new Float32Array(continuation.length).fill(share) };
  };
  return {
    name: "fake",
    tokenizer,
    maxLength,
    facts: memoryFacts,
    async loglikelihood(requests, { onDone, signal } = {}) {
      const results = requests.map(scoreRequest);
      onDone?.(requests.length);
      signal?.throwIfAborted();
      return results;
    },
    async generateUntil(requests, { onDone } = {}) {
      onDone?.(requests.length);
      return requests.map((request) => generate?.(text(request.context), request) ?? "");
    },
    async *stream(request) {
      yield { text: generate?.(text(request.context), request) ?? "", tokens: 1, end: null };
    },
    dispose() {},
  };
}
