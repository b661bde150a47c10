/**
 * Generation from a CausalLM: a batch of sequences, each step one forward pass over all of them. There is no key/value
 * cache; greedy sequences instead advance by several tokens a pass where a guess proves right (`draft_table.ts`).
 */
import * as tf from "@tensorflow/tfjs";
import type { CausalLM } from "../model/causal_lm.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { DraftTable } from "./draft_table.ts";
import { GeneratedText } from "./generated_text.ts";
import type { GenerateRequest } from "./language_model.ts";
import { drawToken } from "./sampling.ts";

/** Longest guess: further ones are rarely right. */
const draftLength = 8;

interface Sequence {
  request: GenerateRequest;
  /** Context and what was generated. */
  ids: number[];
  text: GeneratedText;
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

  /** Adds a sequence; its text grows with each {@link step} until it has ended. */
  add(request: GenerateRequest): GeneratedText {
    const ids = [...request.context];
    this.drafts.learn(ids);
    const { until, maxTokens } = request;
    const text = new GeneratedText(this.source.tokenizer, { until, maxTokens, endIds: this.source.endIds });
    this.active.push({ request, ids, text });
    return text;
  }

  /** One forward pass. False once every sequence has ended. */
  step(): boolean {
    this.active = this.active.filter(({ text }) => !text.ended);
    if (this.active.length === 0) return false;
    const drafts = this.active.map((sequence) => this.draft(sequence));
    const logits = this.forward(drafts);
    let row = 0;
    this.active.forEach((sequence, i) => {
      const rows = drafts[i].length + 1;
      this.advance(sequence, drafts[i], logits.slice(row, row + rows));
      row += rows;
    });
    return true;
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

  /** Takes tokens as long as the draft agrees with them. */
  private advance({ ids, text, request }: Sequence, draft: readonly number[], logits: readonly Float32Array[]) {
    const before = ids.length;
    for (let i = 0; i < logits.length && !text.ended; i++) {
      const id = drawToken(logits[i], request, ids.length - request.context.length);
      ids.push(id);
      text.push([id]);
      if (draft[i] !== id) break;
    }
    this.drafts.learn(ids, before);
  }
}
