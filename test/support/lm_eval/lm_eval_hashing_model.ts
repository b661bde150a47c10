/** A model without weights that answers by hashing the text of a request, so that every character of it counts. */
import { createHash } from "node:crypto";
import type { LanguageModel } from "../../../src/language_model/language_model.ts";
import type { Tokenizer } from "../../../src/tokenizer/tokenizer.ts";

/** As `unit` of lm_eval_answers.py: six bytes as a number in [0, 1), and the seventh. */
function unit(text: string): [share: number, byte: number] {
  const digest = createHash("sha256").update(text).digest();
  return [digest.readUIntBE(0, 6) / 2 ** 48, digest[6]];
}

/** @param answers generated texts, of which the hash chooses one */
export function hashingModel(tokenizer: Tokenizer, answers: readonly string[]): LanguageModel {
  const text = (ids: readonly number[]) => tokenizer.decode(ids);
  return {
    name: "hashing",
    tokenizer,
    maxLength: 2 ** 30,
    facts: {
      kind: "checkpoint",
      compute: null,
      parameters: null,
      shape: null,
      linearBytes: null,
      identity: async () => "hashing",
    },
    loglikelihood: async (requests) =>
      requests.map(({ context, continuation }) => {
        const [share, byte] = unit(text([...context, ...continuation]));
        return { logprob: -20 * share, isGreedy: byte < 64, tokenLogprobs: new Float32Array(continuation.length) };
      }),
    async generateUntil(requests) {
      let [last, repeat] = ["", 0];
      return requests.map(({ context, temperature = 0 }) => {
        const prompt = text(context);
        // A request that is sampled again gets another answer.
        repeat = temperature > 0 && prompt === last ? repeat + 1 : 0;
        last = prompt;
        return answers[Math.floor(unit(prompt + (repeat || ""))[0] * answers.length)];
      });
    },
    async *stream() {},
    dispose() {},
  };
}

/** Short form of the texts of a sample's requests. */
export function requestsHash(requests: readonly (readonly unknown[])[]): string {
  const texts = requests.map((request) => request.filter((argument) => typeof argument === "string"));
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 16);
}
