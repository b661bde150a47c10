/**
 * Generation from a CausalLM: a batch of sequences, each step one forward pass over all of them. There is no key/value
 * cache; greedy sequences instead advance by several tokens a pass where a guess proves right (`draft_table.ts`).
 */
import * as tf from "@tensorflow/tfjs";
import type { CausalLM } from "../model/causal_lm.ts";
import { CounterRng } from "../random/counter_rng.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { DraftTable } from "./draft_table.ts";
import type { GenerateRequest } from "./language_model.ts";
import { drawToken, largestIndex } from "./sampling.ts";
import { containsStop } from "./stop_strings.ts";

/** Longest guess: further ones are rarely right. */
const draftLength = 8;

interface Sequence {
  request: GenerateRequest;
  /** Context and what was generated. */
  ids: number[];
  rng: CounterRng;
  onEnd(generated: number[]): void;
  onToken?(id: number): void;
}

/** What generation needs of a model. */
export interface GenerationSource {
  readonly model: CausalLM;
  readonly tokenizer: Tokenizer;
  readonly endIds: ReadonlySet<number>;
}

export class TfjsGeneration {
  private readonly source: GenerationSource;
  private readonly drafts: DraftTable;
  private active: Sequence[] = [];

  /** @param drafts shared by generations whose texts are alike. */
  constructor(source: GenerationSource, drafts: DraftTable = new DraftTable()) {
    this.source = source;
    this.drafts = drafts;
  }

  /**
   * Adds a sequence.
   * @param onEnd gets the generated ids without the end id, once
   * @param onToken gets each id as soon as it is certain
   */
  add(request: GenerateRequest, onEnd: (generated: number[]) => void, onToken?: (id: number) => void): void {
    const ids = [...request.context];
    this.drafts.learn(ids);
    const rng = new CounterRng(request.seed ?? 0, "generate");
    this.active.push({ request, ids, rng, onEnd, onToken });
  }

  /** One forward pass. False once every sequence has ended. */
  step(): boolean {
    if (this.active.length === 0) return false;
    const drafts = this.active.map((sequence) => this.draft(sequence));
    const logits = this.forward(drafts);
    let row = 0;
    this.active = this.active.filter((sequence, i) => {
      const rows = logits.slice(row, row + drafts[i].length + 1);
      row += drafts[i].length + 1;
      return this.advance(sequence, drafts[i], rows);
    });
    return this.active.length > 0;
  }

  private draft({ ids, request }: Sequence): number[] {
    if (request.temperature) return [];
    const room = request.context.length + request.maxTokens - ids.length - 1;
    return this.drafts.guess(ids, Math.min(draftLength, room));
  }

  /** Logits after the last id of each sequence and after each id of its draft, in that order. */
  private forward(drafts: readonly (readonly number[])[]): Float32Array[] {
    const rows = this.active.map(({ ids }, i) => [...ids, ...drafts[i]]);
    const width = Math.max(...rows.map((ids) => ids.length));
    const padded = new Int32Array(rows.length * width);
    const positions: number[] = [];
    rows.forEach((ids, row) => {
      padded.set(ids, row * width);
      const first = this.active[row].ids.length - 1;
      for (let i = first; i < ids.length; i++) positions.push(row * width + i);
    });
    const { model } = this.source;
    const values = tf.tidy(() =>
      model.logitsAt(tf.tensor2d(padded, [rows.length, width], "int32"), positions).dataSync(),
    ) as Float32Array;
    const { vocabSize } = model.config;
    return positions.map((_, i) => values.subarray(i * vocabSize, (i + 1) * vocabSize));
  }

  /** Takes tokens as long as the draft agrees with them. False once the sequence has ended. */
  private advance(sequence: Sequence, draft: readonly number[], logits: readonly Float32Array[]): boolean {
    const { ids, request, rng } = sequence;
    const before = ids.length;
    for (let i = 0; i < logits.length; i++) {
      const { temperature = 0, topK, topP } = request;
      const id = temperature > 0 ? drawToken(logits[i], { temperature, topK, topP }, rng) : largestIndex(logits[i]);
      if (this.source.endIds.has(id)) return this.end(sequence);
      ids.push(id);
      sequence.onToken?.(id);
      if (this.isComplete(sequence)) return this.end(sequence);
      if (draft[i] !== id) break;
    }
    this.drafts.learn(ids, before);
    return true;
  }

  private isComplete({ ids, request }: Sequence): boolean {
    const generated = ids.slice(request.context.length);
    return (
      generated.length >= request.maxTokens || containsStop(this.source.tokenizer.decode(generated), request.until)
    );
  }

  private end({ ids, request, onEnd }: Sequence): false {
    this.drafts.learn(ids, request.context.length);
    onEnd(ids.slice(request.context.length));
    return false;
  }
}
