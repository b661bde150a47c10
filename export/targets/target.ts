/** What an export target is: a reader of files, what it computes correctly, and how it is written and read back. */
import type { ReadParameter } from "../../src/checkpoint/checkpoint.ts";
import type { ModelConfig } from "../../src/config/model_config.ts";
import type { WritableTensorType } from "../../src/gguf/types/tensor_type.ts";
import type { EmbeddingDtype } from "../../src/quant/dtypes.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import type { About, TrainingFacts } from "../about.ts";
import type { StatedModel } from "../verify/stated_model.ts";

/** A model on its way to a reader. */
export interface ExportRequest {
  /** As trained. */
  config: ModelConfig;
  /** Null if the checkpoint has none. */
  tokenizer: Tokenizer | null;
  /** Of the linear weights, in the target's words. */
  linearType: string;
  /** What the values of embedding and head are rounded to. */
  embeddingDtype: EmbeddingDtype;
  /** What a GGUF file stores them as. */
  tableType: WritableTensorType;
}

/** One thing that the file changes against the trained model. */
export interface ModelChange {
  /** For people. */
  text: string;
  /** What is other in the configuration of the model that the file is. */
  config?: Partial<ModelConfig>;
  /** What the linear weights are rounded to, where they are floats. */
  roundedTo?: EmbeddingDtype;
  /** What embedding and head are rounded to, where `config` has another type of them. */
  embeddingRoundedTo?: EmbeddingDtype;
}

export interface ExportPlan extends ExportRequest {
  target: ExportTarget;
  /** Of the model, for people. */
  name: string;
  /** Who made it, and how: written where the file has a place for it. */
  about: About;
  trainingFacts?: TrainingFacts;
  /** What the user should know of the reader, or null. */
  note: string | null;
  /** Empty if the file is the trained model. */
  changes: readonly ModelChange[];
}

/** Called with the size of each piece written. */
export type OnBytes = (bytes: number) => void;

/** What was found equal to the checkpoint when a file was read back. */
export interface VerifiedTensors {
  /** Matrices whose ternary codes and scales are those of the checkpoint. */
  ternaryMatrices: number;
  ternaryCodes: number;
  /** Tensors whose floats are those of the checkpoint, rounded to their type. */
  floatTensors: number;
}

export interface ExportTarget {
  /** As the command line calls it. */
  readonly name: string;
  /** The type of the linear weights when none is asked for. */
  defaultType(config: ModelConfig): string;
  /** True if an embedding of codes is stored as codes when no type of it is asked for. */
  readonly packsTables?: boolean;
  /**
   * Null if the reader computes what was trained; otherwise one line: the reason, and the config or option that
   * would work.
   */
  refusal(request: ExportRequest): string | null;
  /** What the user should know of how the reader computes, or null. */
  note?(request: ExportRequest): string | null;
  /** What the reader makes another model, besides another type of the embedding. */
  changes(request: ExportRequest): readonly ModelChange[];
  /** The file in a few words, and how many bytes `write` will report. */
  describe(plan: ExportPlan): { text: string; bytes: number };
  /**
   * Writes `out`, a file or a directory: all of it or nothing. Memory holds one tensor.
   * @throws {ExportRefusedError} if a tensor of the checkpoint cannot be stored, and the errors of writing.
   */
  write(plan: ExportPlan, out: string, read: ReadParameter, onBytes?: OnBytes): Promise<void>;
  /**
   * Reads every tensor of `out` back and compares it with the checkpoint, without tolerance.
   * @throws {VerificationError} naming the first that differs.
   */
  verifyTensors(plan: ExportPlan, out: string, read: ReadParameter): Promise<VerifiedTensors>;
  /** What `out` says of the model, in the words of config.json. */
  stated(out: string): Promise<StatedModel>;
  /** What reads `out` here, whose log-probabilities must be those of the model to the bit; null if nothing does. */
  reader(plan: ExportPlan): "engine" | "training forward" | null;
}

/** The first rule that is broken, as its message; null if all hold. */
export function firstBroken(rules: readonly (readonly [holds: boolean, message: string])[]): string | null {
  return rules.find(([holds]) => !holds)?.[1] ?? null;
}
