/** What the header of a model says, in the same words for GGUF files and Hugging Face folders: what readers are asked about. */

export interface ModelSizes {
  layers: number | null;
  hidden: number | null;
  intermediate: number | null;
  heads: number | null;
  kvHeads: number | null;
  headDim: number | null;
  context: number | null;
  /** As stated; the rows of the embedding may differ. */
  vocabulary: number | null;
  rmsNormEps: number | null;
  ropeTheta: number | null;
}

export interface TokenizerFacts {
  /** `gpt2`, `llama` of GGUF files; `BPE`, `Unigram` of tokenizer.json. */
  model: string | null;
  /** Name of the pre-tokenizer (GGUF). */
  pre: string | null;
  tokens: number | null;
  bos: number | null;
  eos: number | null;
  /** Names of chat templates, "default" among them. */
  chatTemplates: readonly string[];
  /** The beginning of the default one. */
  chatTemplate: string | null;
  /** There is a whole tokenizer.json, inside the GGUF file or beside the weights. */
  hasJson: boolean;
}

/** Of a tensor, as far as a reader that knows other types than ours must see it. */
export interface PlacedTensor {
  name: string;
  shape: readonly number[];
  typeNumber: number;
  /** What it means here, with the layout where the number has several. */
  type: string;
  /** From the first tensor of its file. */
  offset: number;
  part: number;
}

/** Of a GGUF file: the container. */
export interface GgufFacts {
  version: number;
  littleEndian: boolean;
  alignment: number;
  /** `general.alignment` as it stands there. */
  statedAlignment: { type: string; value: unknown } | null;
  /** Keys of arrays of arrays. */
  nestedArrays: readonly string[];
  /** Bytes of each part after the beginning of its tensors. */
  dataBytes: readonly number[];
  /** By part, in file order. */
  placed: readonly PlacedTensor[];
  /** Keys that rotate activations (PrismML's folded weights). */
  isFolded: boolean;
  /** Our own key says how the inputs of linear layers are taken. */
  statesActivations: boolean;
  /** `<architecture>.hidden_activation`, which newer converters write. */
  hiddenActivation: string | null;
}

/** Of a Hugging Face folder. */
export interface FolderFacts {
  /** `architectures[0]`. */
  className: string | null;
  modelType: string | null;
  /** `quantization_config`; null without one. */
  quantization: { method: string; linearClass: string; mode: string } | null;
  /** By our own keys; null where they are not there. Names are null where nothing quantizes. */
  own: { weights: string | null; activations: string | null } | null;
  /** The linear weights are packed codes. */
  isPacked: boolean;
  /** Null: our own reader opens it; else its line. */
  ownFault: string | null;
}

export interface ModelFacts {
  container: "gguf" | "safetensors";
  name: string | null;
  /** `general.architecture`, or the class (else the model type) of config.json. */
  architecture: string;
  files: number;
  fileBytes: number;
  /** All that is no weight: metadata, names, padding. */
  headerBytes: number;
  parameters: number;
  sizes: ModelSizes;
  /** What a key says that the model was trained with; null if none does. */
  hiddenAct: string | null;
  /** Layers that have them. */
  subNorms: { attention: number; feedForward: number };
  /** Names of GGUF types or safetensors dtypes of the linear weights, most frequent first. */
  linearTypes: readonly string[];
  embeddingType: string | null;
  embeddingRows: number | null;
  /** Null: the embedding is the head. */
  headType: string | null;
  /** [out, in] of the first layer's q and o projections. */
  query: readonly number[] | null;
  output: readonly number[] | null;
  tokenizer: TokenizerFacts | null;
  /** Why our own readers refuse it. */
  faults: readonly string[];
  gguf: GgufFacts | null;
  folder: FolderFacts | null;
}

/** What the weights themselves say, where they were read: beyond what a header can. */
export interface Evidence {
  /** The activation under which the model knows language, of those that were tried. */
  hiddenAct: Finding | null;
  /** The order of the codes of I2_S. */
  i2sOrder: Finding | null;
  /** Whether `weight_scale` "multiplies" or "divides". */
  scaleMeaning: Finding | null;
  /** What our engine said when it loaded the file: null where it was not asked, "" if it loads. */
  engine: string | null;
}

export interface Finding {
  name: string;
  /** How it is known: a sentence for people. */
  why: string;
}

export const noEvidence: Evidence = { hiddenAct: null, i2sOrder: null, scaleMeaning: null, engine: null };

const ternaryTypes = ["TQ1_0", "TQ2_0", "I2_S", "U8 codes", "STQ1_0", "PTQ1_0"];

/** The linear weights are stored as ternary codes. (Q2_0 and PQ2_0 may hold a fourth one.) */
export function hasTernaryTypes({ linearTypes }: ModelFacts): boolean {
  return linearTypes.length > 0 && linearTypes.every((type) => ternaryTypes.some((name) => type.startsWith(name)));
}
