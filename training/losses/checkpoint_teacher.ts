/** The teacher that is a checkpoint or a run: its training forward, on the run's own backend. */
import * as tf from "@tensorflow/tfjs";
import { loadCausalLM, openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { CheckpointError } from "../../src/checkpoint/checkpoint_error.ts";
import type { CausalLM } from "../../src/model/causal_lm.ts";
import { largestIndices } from "../../src/ops/largest_indices.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import type { Teacher, TeacherScores } from "./teacher.ts";

/** Logits that exist at one time: 64 MiB of float32, or those of one sequence. */
const heldLogits = 2 ** 24;

export class CheckpointTeacher implements Teacher {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly vocabSize: number;
  readonly maxLength: number;
  private readonly model: CausalLM;

  constructor(name: string, model: CausalLM, tokenizer: Tokenizer) {
    this.name = name;
    this.model = model;
    this.tokenizer = tokenizer;
    this.vocabSize = model.config.vocabSize;
    this.maxLength = model.config.maxPositionEmbeddings;
  }

  /** @throws {CheckpointError} */
  static async open(directory: string): Promise<CheckpointTeacher> {
    const checkpoint = await openCheckpoint(directory);
    try {
      if (checkpoint.tokenizer === null) throw new CheckpointError(`${checkpoint.directory} has no tokenizer.json`);
      return new CheckpointTeacher(directory, await loadCausalLM(checkpoint), checkpoint.tokenizer);
    } finally {
      await checkpoint.tensors.close();
    }
  }

  async score(sequences: readonly Int32Array[], count: number): Promise<TeacherScores> {
    const { vocabSize } = this;
    const length = sequences[0].length;
    const takesAll = count === vocabSize;
    const logProbs = new Float32Array(sequences.length * length * count);
    const ids = takesAll ? null : new Int32Array(logProbs.length);
    const rows = Math.max(1, Math.floor(heldLogits / (length * vocabSize)));
    for (let begin = 0; begin < sequences.length; begin += rows) {
      const group = sequences.slice(begin, begin + rows);
      const all = this.logProbsOf(group, length);
      const offset = begin * length * count;
      if (ids === null) logProbs.set(all, offset);
      else takeLargest(all, vocabSize, count, ids.subarray(offset), logProbs.subarray(offset));
    }
    return { count, ids, logProbs };
  }

  dispose(): void {
    this.model.dispose();
  }

  private logProbsOf(sequences: readonly Int32Array[], length: number): Float32Array {
    return tf.tidy(() => {
      const ids = Int32Array.from(sequences.flatMap((sequence) => [...sequence]));
      const logits = this.model.logits(tf.tensor2d(ids, [sequences.length, length], "int32"));
      return tf.logSoftmax(logits).dataSync() as Float32Array;
    });
  }
}

/** Of each row of `size` values the `count` largest. */
function takeLargest(values: Float32Array, size: number, count: number, ids: Int32Array, largest: Float32Array): void {
  for (let row = 0; row * size < values.length; row++) {
    const own = values.subarray(row * size, (row + 1) * size);
    for (const [i, id] of largestIndices(own, count).entries()) {
      ids[row * count + i] = id;
      largest[row * count + i] = own[id];
    }
  }
}
