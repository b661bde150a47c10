/**
 * Which type a tensor of a file has. Its number alone does not say: 42 stands for three layouts, 39 and 40 for two, in
 * files of different programs. The layout is the one whose bytes fill the span up to the next tensor, and where that
 * leaves a choice, the one of the programs that write the architecture.
 */
import { align, GgufError } from "../gguf_types.ts";
import type { TensorType } from "./tensor_type.ts";
import { tensorTypes } from "./tensor_types.ts";

/** What a number means somewhere. Types that are not read are known so that a file is refused by name. */
interface Meaning {
  id: number;
  name: string;
  /** Null: only the number is known, or the bytes depend on the shape. */
  block: { elements: number; bytes: number } | null;
  /** Beginning of the architectures of the programs that write it, where others give the number another meaning. */
  architecture?: string;
}

const plain: Meaning[] = Object.entries({
  2: "Q4_0",
  3: "Q4_1",
  6: "Q5_0",
  7: "Q5_1",
  9: "Q8_1",
  10: "Q2_K",
  11: "Q3_K",
  13: "Q5_K",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  44: "FV5 of Neutrino's fork",
  142: "PQ2_0 of PrismML's fork",
  143: "PTQ1_0 of PrismML's fork",
}).map(([id, name]) => ({ id: Number(id), name, block: null }));

/** Numbers with more than one meaning; sources: ggml.h, @huggingface/gguf, and the forks named. */
const claimed: Meaning[] = [
  { id: 38, name: "TL1 of bitnet.cpp", block: null, architecture: "bitnet" },
  { id: 39, name: "TL2 of bitnet.cpp", block: null, architecture: "bitnet" },
  { id: 39, name: "MXFP4", block: { elements: 32, bytes: 17 } },
  { id: 40, name: "NVFP4", block: { elements: 64, bytes: 36 } },
  { id: 40, name: "Q1_0 of PrismML's first files", block: { elements: 32, bytes: 6 } },
  { id: 41, name: "Q1_0", block: { elements: 128, bytes: 18 } },
  { id: 42, name: "Q2_0 of PrismML's fork", block: { elements: 128, bytes: 34 } },
  { id: 42, name: "STQ1_0 of AngelSlim's first files", block: { elements: 256, bytes: 42 } },
  { id: 43, name: "STQ1_0", block: { elements: 256, bytes: 42 } },
];

/** A tensor as the header of a file describes it. */
export interface NumberedTensor {
  id: number;
  /** Row-major. */
  shape: readonly number[];
  /** Bytes up to the next tensor, or to the end of the file. */
  span: number;
}

/** What a number means in a file. */
export interface TypeMeaning {
  name: string;
  /** Null: not known, or the bytes depend on the shape. */
  block: { elements: number; bytes: number } | null;
  /** Null: it is not read. */
  type: TensorType | null;
}

/** What could be meant, and what is; the types that are read come first. */
function meaningsOf(tensor: NumberedTensor, architecture: string, alignment: number) {
  const readable = tensorTypes.filter((type) => type.id === tensor.id);
  const foreign = [...plain, ...claimed].filter(
    (type) => type.id === tensor.id && readable.every(({ name }) => name !== type.name),
  );
  const meanings = [...readable.map(meaningOf), ...foreign];
  const found = meanings.length > 1 ? chosen(meanings, tensor, architecture, alignment) : meanings[0];
  return { meanings, found, type: readable.find(({ name }) => name === found?.name) ?? null };
}

/** Null if the number means nothing that is known, or the bytes fit none of its meanings. Parameters as of {@link typeOfNumber}. */
export function typeMeaning(tensor: NumberedTensor, architecture: string, alignment: number): TypeMeaning | null {
  const { found, type } = meaningsOf(tensor, architecture, alignment);
  return found === undefined ? null : { name: found.name, block: found.block, type };
}

/**
 * @param architecture `general.architecture` of the file
 * @param alignment tensors begin at its multiples
 * @throws {GgufError} "type 42 (Q2_0 with 18 bytes per 64 elements), which is not read; read are ..."
 */
export function typeOfNumber(tensor: NumberedTensor, architecture: string, alignment: number): TensorType {
  const { id, span } = tensor;
  const { meanings, found, type } = meaningsOf(tensor, architecture, alignment);
  if (found === undefined && meanings.length > 0) {
    throw new GgufError(`type ${id}, and its ${span} bytes are none of ${meanings.map(describe).join(", ")}`);
  }
  if (type !== null) return type;
  const read = `read are ${tensorTypes.map(({ name }) => name).join(", ")}`;
  if (found === undefined) throw new GgufError(`type ${id}; ${read}`);
  const name = meanings.length > 1 && found.block ? describe(found) : found.name;
  throw new GgufError(`type ${id} (${name}), which is not read; ${read}`);
}

function meaningOf({ id, name, blockElements, blockBytes }: TensorType): Meaning {
  return { id, name, block: { elements: blockElements, bytes: blockBytes } };
}

function describe({ name, block }: Meaning): string {
  return block === null ? name : `${name} with ${block.bytes} bytes per ${block.elements} elements`;
}

/** The meaning that fills the span; else the one whose bytes are not known, in files of its programs. */
function chosen(
  meanings: readonly Meaning[],
  { shape, span }: NumberedTensor,
  architecture: string,
  alignment: number,
): Meaning | undefined {
  const cols = shape[shape.length - 1];
  const elements = shape.reduce((product, size) => product * size, 1);
  return (
    meanings.find(
      ({ block }) =>
        block !== null &&
        cols % block.elements === 0 &&
        align((elements / block.elements) * block.bytes, alignment) === align(span, alignment),
    ) ?? meanings.find((type) => type.architecture !== undefined && architecture.startsWith(type.architecture))
  );
}
