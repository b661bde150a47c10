/** The LanguageModel of a GGUF file: evaluation and generation through the native engine. */

import { statSync } from "node:fs";
import { largest } from "../../src/arrays/large_arrays.ts";
import { openTokenizer } from "../../src/gguf/file_tokenizer.ts";
import { tokenizerOf } from "../../src/gguf/gguf_tokenizer.ts";
import { GgufError } from "../../src/gguf/gguf_types.ts";
import { modelFiles } from "../../src/gguf/split_files.ts";
import { isTernary } from "../../src/gguf/types/tensor_type.ts";
import { tensorTypes } from "../../src/gguf/types/tensor_types.ts";
import { endTokenIds } from "../../src/language_model/end_tokens.ts";
import { generateTexts } from "../../src/language_model/generate_texts.ts";
import { streamPieces } from "../../src/language_model/generation.ts";
import type {
  CallOptions,
  GeneratedPiece,
  GenerateRequest,
  LanguageModel,
  LoglikelihoodRequest,
  LoglikelihoodResult,
} from "../../src/language_model/language_model.ts";
import { likelyTokens } from "../../src/language_model/likely_tokens.ts";
import { type EngineFacts, filesIdentity } from "../../src/language_model/model_facts.ts";
import { shapeOf } from "../../src/language_model/model_shape.ts";
import { boundedTokenizer } from "../../src/tokenizer/bounded_tokenizer.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import { ModelFileError } from "./native_engine.ts";
import { ScoreSchedule } from "./score_schedule.ts";
import type { Session } from "./session.ts";
import { SlotContexts } from "./slot_contexts.ts";

// Positions of a prompt that one call runs.
const promptPositions = 8192;
// Sequences that generate side by side, if their caches fit.
const maxSlots = 16;
const cacheBytes = 1 << 29;
// Tokens between two looks at the stop strings.
const tokensPerStep = 8;

export interface NativeModelOptions extends EngineOptions {
  /** Path of a tokenizer.json, its folder or a GGUF file, instead of the tokenizer of the file. */
  tokenizer?: string;
}

export class NativeLanguageModel implements LanguageModel {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly maxLength: number;
  readonly facts: EngineFacts;
  readonly engine: Engine;
  readonly endIds: ReadonlySet<number>;

  constructor(engine: Engine, tokenizer: Tokenizer) {
    const { config, metadata } = engine;
    this.name = engine.path;
    this.tokenizer = tokenizer;
    this.engine = engine;
    this.maxLength = config.contextLength;
    const named = ["eos", "eot", "eom"].map((name) => metadata.get(`tokenizer.ggml.${name}_token_id`));
    this.endIds = endTokenIds(named, tokenizer);
    const { variant, threads, architecture, weightType, embeddingType, parameters, linearBytes } = config;
    const files = modelFiles(engine.path, metadata.get("split.count"));
    const ternary = tensorTypes.some((type) => type.name === weightType && isTernary(type));
    this.facts = {
      kind: "engine",
      variant,
      threads,
      architecture,
      weightType,
      embeddingType,
      parameters,
      linearBytes,
      fileBytes: files.reduce((sum, file) => sum + statSync(file).size, 0),
      shape: shapeOf(config, ternary),
      identity: () => filesIdentity("engine", files, false),
    };
  }

  /**
   * Opens a GGUF file.
   * @throws {ModelFileError} if it cannot be run or has no usable tokenizer.
   */
  static async open(file: string, options: NativeModelOptions = {}): Promise<NativeLanguageModel> {
    const engine = await Engine.load(file, options);
    try {
      const tokenizer = options.tokenizer === undefined ? tokenizerOf(engine) : await openTokenizer(options.tokenizer);
      return new NativeLanguageModel(engine, boundedTokenizer(tokenizer, engine.config.vocabSize));
    } catch (error) {
      engine.dispose();
      throw error instanceof GgufError ? new ModelFileError(error.message) : error;
    }
  }

  async loglikelihood(
    requests: readonly LoglikelihoodRequest[],
    { signal, onDone, onAnswer }: CallOptions<LoglikelihoodResult> = {},
  ): Promise<LoglikelihoodResult[]> {
    const results = new Array<LoglikelihoodResult>(requests.length);
    const schedule = new ScoreSchedule(requests);
    let done = 0;
    for (let call = schedule.nextCall(); call.length > 0; call = schedule.nextCall()) {
      const begin = performance.now();
      const wanted = largest(
        call.map((index) => requests[index].top ?? 0),
        0,
      );
      const top = Math.min(wanted, this.engine.config.vocabSize);
      const scores = await this.engine.scoreContinuations(
        call.map((index) => requests[index]),
        { top, signal },
      );
      schedule.took((performance.now() - begin) / 1000);
      call.forEach((index, i) => {
        const { logprobs, greedy, topIds, topLogprobs } = scores[i];
        const asked = Math.min(requests[index].top ?? 0, top);
        results[index] = {
          logprob: logprobs.reduce((sum, value) => sum + value, 0),
          isGreedy: greedy.every((flag) => flag === 1),
          tokenLogprobs: logprobs,
          ...(asked > 0 && { top: likelyTokens(this.tokenizer, topIds!, topLogprobs!, top, asked) }),
        };
        onAnswer?.(index, results[index]);
      });
      done += call.length;
      onDone?.(done);
    }
    return results;
  }

  async generateUntil(requests: readonly GenerateRequest[], options: CallOptions<string> = {}): Promise<string[]> {
    if (requests.length === 0) return [];
    const session = this.#createSession(requests);
    try {
      const { tokenizer, endIds } = this;
      const source = { tokens: session, slots: new SlotContexts(session), tokenizer, endIds, steps: tokensPerStep };
      return await generateTexts(source, requests, options);
    } finally {
      session.dispose();
    }
  }

  stream(
    { context: ids, ...request }: GenerateRequest,
    { signal }: Pick<CallOptions<never>, "signal"> = {},
  ): AsyncGenerator<GeneratedPiece, void> {
    const { tokenizer, endIds } = this;
    const prepare = async () => {
      const capacity = Math.min(this.maxLength, ids.length + request.maxTokens);
      const session = this.engine.createSession({ capacity });
      return { source: session, slot: 0, ids, cached: 0, release: () => session.dispose() };
    };
    return streamPieces({ tokenizer, endIds, promptPart: () => promptPositions, prepare }, request, signal);
  }

  dispose(): void {
    this.engine.dispose();
  }

  /** As many slots as are useful and fit, each long enough for the longest request. */
  #createSession(requests: readonly GenerateRequest[]): Session {
    const { numHiddenLayers, numKeyValueHeads, headDim } = this.engine.config;
    const longest = largest(requests.map(({ context, maxTokens }) => context.length + maxTokens));
    const capacity = Math.min(this.maxLength, longest + tokensPerStep);
    const slotBytes = capacity * numHiddenLayers * numKeyValueHeads * headDim * 8;
    const slots = Math.max(1, Math.min(maxSlots, requests.length, Math.floor(cacheBytes / slotBytes)));
    return this.engine.createSession({ slots, capacity });
  }
}
