/** The LanguageModel of a GGUF file: evaluation and generation through the native engine. */
import { statSync } from "node:fs";
import { tokenizerOf } from "../../src/gguf/gguf_tokenizer.ts";
import { GgufError } from "../../src/gguf/gguf_types.ts";
import { isTernary } from "../../src/gguf/types/tensor_type.ts";
import { tensorTypes } from "../../src/gguf/types/tensor_types.ts";
import { endTokenIds } from "../../src/language_model/end_tokens.ts";
import { GeneratedText } from "../../src/language_model/generated_text.ts";
import type {
  CallOptions,
  GeneratedPiece,
  GenerateRequest,
  LanguageModel,
  LoglikelihoodRequest,
  LoglikelihoodResult,
} from "../../src/language_model/language_model.ts";
import { type EngineFacts, filesIdentity } from "../../src/language_model/model_facts.ts";
import { shapeOf } from "../../src/language_model/model_shape.ts";
import { sharingOrder } from "../../src/language_model/sharing_order.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import { Generation } from "./generation.ts";
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

/** One sequence of a batch. */
interface BatchEntry {
  index: number;
  slot: number;
  request: GenerateRequest;
  text: GeneratedText;
  /** Ids to append next: the prompt, then the last token drawn. */
  ids: readonly number[];
  drawn: number;
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
    const { isa: variant, threads, architecture, weightType, embeddingType, parameters, linearBytes } = config;
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
      fileBytes: statSync(engine.path).size,
      shape: shapeOf(config, ternary),
      identity: () => filesIdentity("engine", [engine.path], false),
    };
  }

  /**
   * Opens a GGUF file.
   * @throws {ModelFileError} if it cannot be run or has no usable tokenizer.
   */
  static async open(file: string, options: EngineOptions = {}): Promise<NativeLanguageModel> {
    const engine = await Engine.load(file, options);
    try {
      return new NativeLanguageModel(engine, tokenizerOf(engine));
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
      const scores = await this.engine.scoreContinuations(
        call.map((index) => requests[index]),
        { signal },
      );
      schedule.took((performance.now() - begin) / 1000);
      call.forEach((index, i) => {
        const { logprobs, greedy } = scores[i];
        results[index] = {
          logprob: logprobs.reduce((sum, value) => sum + value, 0),
          isGreedy: greedy.every((flag) => flag === 1),
          tokenLogprobs: logprobs,
        };
        onAnswer?.(index, results[index]);
      });
      done += call.length;
      onDone?.(done);
    }
    return results;
  }

  async generateUntil(
    requests: readonly GenerateRequest[],
    { signal, onDone, onAnswer }: CallOptions<string> = {},
  ): Promise<string[]> {
    const texts = new Array<string>(requests.length).fill("");
    const order = sharingOrder(requests.map(({ context }) => ({ context, continuation: [] })));
    const waiting = order
      .map((index) => ({ request: requests[index], index }))
      .filter(({ request }) => request.maxTokens > 0);
    if (waiting.length === 0) return texts;
    const session = this.#createSession(requests);
    try {
      let active: BatchEntry[] = [];
      const slots = new SlotContexts(session);
      let done = requests.length - waiting.length;
      for (let next = 0; next < waiting.length || active.length > 0; ) {
        while (slots.free > 0 && next < waiting.length) {
          const { request, index } = waiting[next++];
          const { slot, ids } = await slots.take(request.context);
          active.push({ index, slot, request, text: this.#text(request), ids, drawn: 0 });
        }
        await this.#step(session, active, signal);
        for (const { index, slot, text } of active.filter((generation) => this.#ended(session, generation))) {
          texts[index] = text.text;
          slots.release(slot);
          onAnswer?.(index, texts[index]);
          done++;
        }
        active = active.filter((generation) => !this.#ended(session, generation));
        onDone?.(done);
      }
      return texts;
    } finally {
      session.dispose();
    }
  }

  async *stream(
    request: GenerateRequest,
    { signal }: Pick<CallOptions<never>, "signal"> = {},
  ): AsyncGenerator<GeneratedPiece, void> {
    const { context: ids, until, maxTokens } = request;
    if (maxTokens <= 0) return;
    const generation = new Generation(
      {
        tokenizer: this.tokenizer,
        endIds: this.endIds,
        promptPart: () => promptPositions,
        prepare: async () => {
          const capacity = Math.min(this.maxLength, ids.length + maxTokens);
          const session = this.engine.createSession({ capacity });
          return { session, ids, release: () => session.dispose() };
        },
      },
      { ...request, stop: until, signal },
    );
    for await (const { text } of generation) {
      const end = generation.stopReason;
      yield { text, tokens: generation.tokens.length - (end === "eos" ? 1 : 0), end };
    }
  }

  dispose(): void {
    this.engine.dispose();
  }

  #text({ until, maxTokens }: GenerateRequest): GeneratedText {
    return new GeneratedText(this.tokenizer, { until, maxTokens, endIds: this.endIds });
  }

  /** As many slots as are useful and fit, each long enough for the longest request. */
  #createSession(requests: readonly GenerateRequest[]): Session {
    const { numHiddenLayers, numKeyValueHeads, headDim } = this.engine.config;
    const longest = Math.max(...requests.map(({ context, maxTokens }) => context.length + maxTokens));
    const capacity = Math.min(this.maxLength, longest + tokensPerStep);
    const slotBytes = capacity * numHiddenLayers * numKeyValueHeads * headDim * 8;
    const slots = Math.max(1, Math.min(maxSlots, requests.length, Math.floor(cacheBytes / slotBytes)));
    return this.engine.createSession({ slots, capacity });
  }

  async #step(session: Session, active: readonly BatchEntry[], signal: AbortSignal | undefined): Promise<void> {
    const room = Math.min(...active.map(({ slot, ids }) => session.capacity - session.length(slot) - ids.length + 1));
    const missing = Math.max(...active.map(({ request, text }) => request.maxTokens - text.tokens));
    const drawn = await session.advance(
      active.map(({ slot, ids, request, drawn }) => ({ slot, ids, sampling: request, drawn })),
      Math.max(1, Math.min(tokensPerStep, room, missing)),
      { endIds: [...this.endIds], signal },
    );
    active.forEach((generation, i) => {
      generation.text.push(drawn[i]);
      generation.drawn += drawn[i].length;
      generation.ids = [drawn[i][drawn[i].length - 1]];
    });
  }

  /** The text is complete, or the context is full. */
  #ended(session: Session, { slot, text }: BatchEntry): boolean {
    return text.ended || session.length(slot) >= session.capacity;
  }
}
