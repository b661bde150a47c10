/** A model file or folder as it is looked into: facts of its header at once, weights in pieces when they are asked for. */
import type { TensorType } from "../gguf/types/tensor_type.ts";
import type { EmbeddingDtype } from "../quant/dtypes.ts";
import type { WeightQuantizer } from "../quantizers/weight_quantizer.ts";
import type { ModelFacts } from "./model_facts.ts";

/** How the weights of a tensor lie in its bytes. */
export type TensorLayout =
  | { kind: "gguf"; type: TensorType }
  /** Of safetensors. */
  | { kind: "floats"; dtype: "F32" | "F16" | "BF16" }
  /** Ternary codes of Hugging Face, four rows to a byte; the name of the scale's tensor, null if it is missing. */
  | { kind: "packed"; scale: string | null }
  /** Only its bytes are known. */
  | { kind: "bytes" };

export type TensorRole = "linear" | "embedding" | "head" | "norm" | "scale" | "other";

export interface InspectedTensor {
  name: string;
  /** As GGUF files call it, where it has a name there. */
  ggufName: string;
  role: TensorRole;
  /** "TQ2_0", "BF16", "U8 codes". */
  type: string;
  /** Number of the GGUF type. */
  typeNumber: number | null;
  /** Row-major, of weights (of codes, where four share a byte). */
  shape: readonly number[];
  bytes: number;
  layout: TensorLayout;
}

export interface InspectedModel {
  /** As the user named it. */
  path: string;
  facts: ModelFacts;
  tensors: readonly InspectedTensor[];
  /** Makes codes of the linear weights, where they are latent ones; null if nothing does, or they are codes. */
  quantizer: WeightQuantizer | null;
  /** What training makes of the embedding and head as they stand there; null if nothing, or it is not known. */
  embedding: { dtype: EmbeddingDtype; quantizer: WeightQuantizer | null } | null;
  /** All that the header says, by key: values as JSON has them. */
  keys: ReadonlyMap<string, unknown>;
  /** Bytes [begin, end) of a tensor. */
  read(tensor: InspectedTensor, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

export function weightsOf({ shape }: { shape: readonly number[] }): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** What a tensor is for, by its name in GGUF files. */
export function roleOf(ggufName: string): TensorRole {
  if (ggufName === "token_embd.weight") return "embedding";
  if (ggufName === "output.weight") return "head";
  if (/norm\.weight$/.test(ggufName)) return "norm";
  if (/\.scale$|weight_scale$/.test(ggufName)) return "scale";
  return /^blk\.\d+\..*\.weight$/.test(ggufName) ? "linear" : "other";
}
