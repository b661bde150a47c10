/**
 * Which types the tensors of a file have. Their numbers alone do not say: 42 stands for three layouts, 39 and 40 for two,
 * in files of different programs. The layout is the one whose bytes fill the span up to the next tensor, for all tensors
 * of that number: of a small one, or in a file of a large alignment, padding may leave a choice. Where no layout fills
 * them, it is that of the programs that write the architecture.
 */
import { align } from "../gguf_types.ts";
import { pq2_0 } from "./pq2_0.ts";
import { stq1_0 } from "./stq1_0.ts";
import type { TensorType } from "./tensor_type.ts";
import { tensorTypes } from "./tensor_types.ts";

/** What a number means somewhere. Types that are not read are known so that a file is refused by name. */
interface Meaning {
  id: number;
  name: string;
  /** Null: only the number is known, or the bytes depend on the shape. */
  block: { elements: number; bytes: number } | null;
  /** Null: it is not read. */
  type: TensorType | null;
  /** Beginning of the architectures of the programs that write it, where others give the number another meaning. */
  architecture?: string;
}

const plain: Meaning[] = Object.entries({
  9: "Q8_1",
  10: "Q2_K",
  11: "Q3_K",
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
}).map(([id, name]) => ({ id: Number(id), name, block: null, type: null }));

/** Numbers with more than one meaning; sources: ggml.h, @huggingface/gguf, and the forks named. */
const claimed: Meaning[] = [
  { id: 38, name: "TL1 of bitnet.cpp", block: null, type: null, architecture: "bitnet" },
  { id: 39, name: "TL2 of bitnet.cpp", block: null, type: null, architecture: "bitnet" },
  { id: 39, name: "MXFP4", block: { elements: 32, bytes: 17 }, type: null },
  { id: 40, name: "NVFP4", block: { elements: 64, bytes: 36 }, type: null },
  { id: 40, name: "Q1_0 of PrismML's first files", block: { elements: 32, bytes: 6 }, type: null },
  { ...meaningOf(pq2_0), id: 42, name: "Q2_0 of PrismML's fork" },
  { ...meaningOf(stq1_0), id: 42, name: "STQ1_0 of AngelSlim's first files" },
];

/** By number; those that are read under the number that they call theirs come first. */
const meanings = byNumber([...tensorTypes.map(meaningOf), ...plain, ...claimed]);

/** A tensor as the header of a file describes it. */
export interface NumberedTensor {
  id: number;
  /** Row-major. */
  shape: readonly number[];
  /** From the first tensor of the file. */
  offset: number;
  /** Bytes up to the next tensor, or to the end of the file. */
  span: number;
}

/** What a number means in a file. */
export type TypeMeaning = Pick<Meaning, "name" | "block" | "type">;

/**
 * Of each tensor: null if its number means nothing that is known, or its bytes fit none of its meanings.
 * @param tensors all of one file
 * @param architecture `general.architecture` of the file
 * @param alignment tensors begin at its multiples
 */
export function meaningsInFile(
  tensors: readonly NumberedTensor[],
  architecture: string,
  alignment: number,
): (TypeMeaning | null)[] {
  const chosen = new Map<number, Meaning | undefined>();
  for (const [id, ofNumber] of byNumber(tensors)) {
    const known = meanings.get(id) ?? [];
    const fitting = known.find((meaning) => ofNumber.every((tensor) => fills(meaning, tensor, alignment)));
    chosen.set(id, known.length > 1 ? fitting : known[0]);
  }
  return tensors.map((tensor) => {
    const known = meanings.get(tensor.id) ?? [];
    return (
      chosen.get(tensor.id) ??
      known.find((meaning) => fills(meaning, tensor, alignment)) ??
      known.find((meaning) => meaning.architecture !== undefined && architecture.startsWith(meaning.architecture)) ??
      null
    );
  });
}

/** The type that a tensor is read as, or why it is not: "type 40 (NVFP4 with 36 bytes per 64 elements), which is not read; read are ...". */
export function readAs(tensor: NumberedTensor, meaning: TypeMeaning | null): TensorType | string {
  if (meaning?.type) return meaning.type;
  const { id, offset, span } = tensor;
  const known = meanings.get(id) ?? [];
  if (meaning === null && known.length > 0) {
    const expected = known.map((each) => `${describe(each)}${expectedBytes(each, tensor)}`).join(", ");
    return `type ${id} at offset ${offset} has ${span} bytes up to the next tensor, which fit none of ${expected}`;
  }
  const read = `read are ${tensorTypes.map(({ name }) => name).join(", ")}`;
  if (meaning === null) return `type ${id}; ${read}`;
  return `type ${id} (${known.length > 1 ? describe(meaning) : meaning.name}), which is not read; ${read}`;
}

function byNumber<Numbered extends { id: number }>(all: readonly Numbered[]): Map<number, Numbered[]> {
  const groups = new Map<number, Numbered[]>();
  for (const each of all) {
    const group = groups.get(each.id);
    if (group === undefined) groups.set(each.id, [each]);
    else group.push(each);
  }
  return groups;
}

function meaningOf(type: TensorType): Meaning {
  const { id, name, blockElements, blockBytes } = type;
  return { id, name, block: { elements: blockElements, bytes: blockBytes }, type };
}

function describe({ name, block }: TypeMeaning): string {
  return block === null ? name : `${name} with ${block.bytes} bytes per ${block.elements} elements`;
}

/** " (432)", or what rows it needs. */
function expectedBytes({ block }: TypeMeaning, { shape }: NumberedTensor): string {
  if (block === null) return "";
  if (shape[shape.length - 1] % block.elements !== 0) return ` (rows of ${shape[shape.length - 1]} are no multiple)`;
  return ` (${bytesOf(block, shape)})`;
}

function bytesOf(block: NonNullable<Meaning["block"]>, shape: readonly number[]): number {
  return (shape.reduce((product, size) => product * size, 1) / block.elements) * block.bytes;
}

function fills({ block }: Meaning, { shape, span }: NumberedTensor, alignment: number): boolean {
  if (block === null || shape[shape.length - 1] % block.elements !== 0) return false;
  return align(bytesOf(block, shape), alignment) === align(span, alignment);
}
