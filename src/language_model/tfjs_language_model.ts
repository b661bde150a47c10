/**
 * The LanguageModel of a checkpoint: the training forward on the current tfjs backend, in right-padded batches.
 * Attention is causal, so padding changes nothing before it.
 */

import { readdirSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import { largest } from "../arrays/large_arrays.ts";
import { type CheckpointOptions, loadCausalLM, openCheckpoint } from "../checkpoint/checkpoint.ts";
import { CheckpointError } from "../checkpoint/checkpoint_error.ts";
import { hasTernaryWeights } from "../config/model_quantizers.ts";
import type { CausalLM } from "../model/causal_lm.ts";
import { parameterCount } from "../model/parameters.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { DraftTable } from "./draft_table.ts";
import { endTokenIds } from "./end_tokens.ts";
import { eventLoopTurn } from "./event_loop.ts";
import { generateTexts } from "./generate_texts.ts";
import { streamPieces } from "./generation.ts";
import type {
  CallOptions,
  GeneratedPiece,
  GenerateRequest,
  LanguageModel,
  LikelyToken,
  LoglikelihoodRequest,
  LoglikelihoodResult,
} from "./language_model.ts";
import { likelyTokens } from "./likely_tokens.ts";
import { type CheckpointFacts, filesIdentity } from "./model_facts.ts";
import { shapeOf } from "./model_shape.ts";
import { TfjsSession, tokensPerPass } from "./tfjs_session.ts";

/** Positions of one forward pass, padding included. */
const batchPositions = 4096;

export interface TfjsLanguageModelOptions {
  name: string;
  model: CausalLM;
  tokenizer: Tokenizer;
  /** Ids that config.json names (`eos_token_id`), besides the tokenizer's EOS and what is known to end a text. */
  endIds?: readonly unknown[];
  compute?: CheckpointFacts["compute"];
  /** Of the files that the model was read from; a model in memory has none, and no identity. */
  directory?: string;
  /** What the user said of the linear layers, where the files do not: it is part of the identity. */
  quantization?: CheckpointOptions["quantization"];
}

export class TfjsLanguageModel implements LanguageModel {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly maxLength: number;
  readonly facts: CheckpointFacts;
  readonly model: CausalLM;
  readonly endIds: ReadonlySet<number>;

  constructor(options: TfjsLanguageModelOptions) {
    const { name, model, tokenizer, endIds = [], compute = null, directory, quantization } = options;
    this.name = name;
    this.model = model;
    this.tokenizer = tokenizer;
    this.maxLength = model.config.maxPositionEmbeddings;
    this.endIds = endTokenIds(endIds, tokenizer);
    const shape = shapeOf(model.config, hasTernaryWeights(model.config));
    this.facts = {
      kind: "checkpoint",
      compute,
      parameters: parameterCount(model.config),
      shape,
      // A checkpoint runs on its latent weights, float32 on every backend.
      linearBytes: shape.linearWeights * 4,
      identity: async () => {
        if (directory === undefined) throw new TypeError(`${name} is not read from files: it has no identity`);
        // The backends agree within a tolerance only.
        const reader = ["tfjs", compute?.backend, quantization].filter((word) => word !== undefined).join(" ");
        return filesIdentity(reader, checkpointFiles(directory), true);
      },
    };
  }

  /**
   * Opens a checkpoint or run directory on the current backend.
   * @param compute what the current backend is, for reports
   * @param reading how the checkpoint is read where its files leave something open
   * @throws {CheckpointError} if it cannot be read or has no tokenizer.
   */
  static async open(
    directory: string,
    compute: CheckpointFacts["compute"] = null,
    reading: CheckpointOptions = {},
  ): Promise<TfjsLanguageModel> {
    const checkpoint = await openCheckpoint(directory, reading);
    try {
      const { tokenizer, configJson } = checkpoint;
      if (tokenizer === null) throw new CheckpointError(`${checkpoint.directory} has no tokenizer.json`);
      const endIds = [configJson.eos_token_id].flat();
      const model = await loadCausalLM(checkpoint);
      return new TfjsLanguageModel({
        name: directory,
        model,
        tokenizer,
        endIds,
        compute,
        directory: checkpoint.directory,
        quantization: reading.quantization,
      });
    } finally {
      await checkpoint.tensors.close();
    }
  }

  async loglikelihood(
    requests: readonly LoglikelihoodRequest[],
    { signal, onDone, onAnswer }: CallOptions<LoglikelihoodResult> = {},
  ): Promise<LoglikelihoodResult[]> {
    const results = new Array<LoglikelihoodResult>(requests.length);
    let done = 0;
    for (const batch of batchesByLength(requests.map(inputLength), batchPositions)) {
      const scored = await this.scoreBatch(batch.map((index) => requests[index]));
      batch.forEach((index, row) => {
        results[index] = scored[row];
        onAnswer?.(index, scored[row]);
      });
      done += batch.length;
      onDone?.(done);
      await eventLoopTurn(signal);
    }
    return results;
  }

  async generateUntil(
    requests: readonly GenerateRequest[],
    { signal, onDone, onAnswer }: CallOptions<string> = {},
  ): Promise<string[]> {
    const texts = new Array<string>(requests.length);
    const lengths = requests.map(({ context, maxTokens }) => context.length + maxTokens);
    const drafts = new DraftTable();
    const { tokenizer, endIds } = this;
    let before = 0;
    for (const batch of batchesByLength(lengths, batchPositions)) {
      const session = new TfjsSession(this.model, batch.length, drafts);
      const source = { tokens: session, slots: session, tokenizer, endIds, steps: tokensPerPass };
      const answers = await generateTexts(
        source,
        batch.map((index) => requests[index]),
        {
          signal,
          onDone: (count) => onDone?.(before + count),
          onAnswer: (place, text) => onAnswer?.(batch[place], text),
        },
      );
      answers.forEach((text, place) => {
        texts[batch[place]] = text;
      });
      before += batch.length;
    }
    return texts;
  }

  stream(
    { context: ids, ...request }: GenerateRequest,
    { signal }: Pick<CallOptions<never>, "signal"> = {},
  ): AsyncGenerator<GeneratedPiece, void> {
    const { tokenizer, endIds, model } = this;
    const prepare = async () => ({ source: new TfjsSession(model, 1), slot: 0, ids, cached: 0, release: () => {} });
    return streamPieces({ tokenizer, endIds, promptPart: () => ids.length, prepare }, request, signal);
  }

  dispose(): void {
    this.model.dispose();
  }

  private async scoreBatch(batch: readonly LoglikelihoodRequest[]): Promise<LoglikelihoodResult[]> {
    const width = largest(batch.map(inputLength));
    const ids = new Int32Array(batch.length * width);
    const targets = new Int32Array(batch.length * width).fill(-1);
    batch.forEach(({ context, continuation }, row) => {
      const whole = [...context, ...continuation];
      ids.set(whole.slice(0, -1), row * width);
      targets.set(continuation, row * width + context.length - 1);
    });
    const { logProbs, argmax } = tf.tidy(() => {
      const shape: [number, number] = [batch.length, width];
      return this.model.logProbs(tf.tensor2d(ids, shape, "int32"), tf.tensor2d(targets, shape, "int32"));
    });
    const [values, best] = await Promise.all([logProbs.data(), argmax.data()]);
    logProbs.dispose();
    argmax.dispose();
    return batch.map((request, row) => {
      const { context, continuation, top = 0 } = request;
      const begin = row * width + context.length - 1;
      const tokenLogprobs = Float32Array.from(values.slice(begin, begin + continuation.length));
      return {
        ...(top > 0 && { top: this.likelyTokens(request, Math.min(top, this.model.config.vocabSize)) }),
        logprob: tokenLogprobs.reduce((sum, value) => sum + value, 0),
        isGreedy: continuation.every((id, i) => best[begin + i] === id),
        tokenLogprobs,
      };
    });
  }

  private likelyTokens({ context, continuation }: LoglikelihoodRequest, count: number): LikelyToken[][] {
    const ids = [...context, ...continuation].slice(0, -1);
    const positions = continuation.map((_, i) => context.length - 1 + i);
    const input = tf.tensor2d(ids, [1, ids.length], "int32");
    const top = this.model.topLogProbs(input, positions, count);
    input.dispose();
    return likelyTokens(this.tokenizer, top.ids, top.logProbs, count, count);
  }
}

/** The files that the answers depend on, by name. */
function checkpointFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => /\.safetensors$|^(config|tokenizer|tokenizer_config)\.json$/.test(name))
    .sort()
    .map((name) => path.join(directory, name));
}

/** Positions that the model sees: the last id is only predicted. */
function inputLength({ context, continuation }: LoglikelihoodRequest): number {
  return context.length + continuation.length - 1;
}

/** Indices, longest first, in groups whose size times longest length is at most `positions` (or that hold one). */
export function batchesByLength(lengths: readonly number[], positions: number): number[][] {
  const order = Array.from(lengths.keys()).sort((a, b) => lengths[b] - lengths[a] || a - b);
  const batches: number[][] = [];
  for (const index of order) {
    const current = batches[batches.length - 1];
    if (current && (current.length + 1) * lengths[current[0]] <= positions) current.push(index);
    else batches.push([index]);
  }
  return batches;
}
