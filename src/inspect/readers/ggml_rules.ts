/**
 * What every program with ggml's reader of GGUF files (gguf.cpp, llama-model-loader.cpp) asks of a file, whatever the
 * graph: byte order, keys, alignment, types, the place of each tensor, a vocabulary.
 */
import { namedPreTokenizers } from "../../gguf/pre_tokenizers.ts";
import type { GgufFacts, ModelFacts } from "../model_facts.ts";
import { computesElse, notKnown, type Question, type Rule, refuses } from "./reader.ts";

/** Bytes of a type in a version; undefined if it does not know the number. */
export type SizeOf = (typeNumber: number, version: number) => TypeSize | undefined;

export interface TypeSize {
  elements: number;
  bytes: number;
  /** Bytes after the last row. */
  tail?: number;
}

/** @param program its name, as sentences begin */
export function ggmlRules(program: string, sizeOf: SizeOf, since: (typeNumber: number) => string | undefined): Rule[] {
  return [
    inFile(program, byteOrder),
    inFile(program, nestedArrays),
    inFile(program, powerOfTwo),
    ({ facts }) => {
      const fault = facts.faults.find((line) => /^(?:truncated|tensor .* (?:impossible|two parts))|split\./.test(line));
      return fault === undefined ? null : refuses(fault);
    },
    (question) => typeRule(question, sizeOf, since),
    (question) => placeRule(question, sizeOf),
    vocabularyRule,
  ];
}

/** A rule of GGUF files alone; of anything else the program says no. */
function inFile(program: string, rule: (gguf: GgufFacts) => string | null): Rule {
  return ({ facts: { gguf } }) => {
    if (gguf === null)
      return refuses(`${program} reads GGUF files: bitnet-export writes one where it computes the model`);
    const reason = rule(gguf);
    return reason === null ? null : refuses(reason);
  };
}

function byteOrder({ littleEndian, version }: GgufFacts): string | null {
  if (littleEndian) return null;
  return `big-endian: a little-endian machine reads version ${version * 2 ** 24}, "extremely large, is there a mismatch between the host and model endianness?"; gguf_convert_endian.py converts`;
}

function nestedArrays({ nestedArrays: [key] }: GgufFacts): string | null {
  return key === undefined ? null : `key ${key} is an array of arrays: "invalid GGUF type 9"`;
}

function powerOfTwo({ statedAlignment }: GgufFacts): string | null {
  if (statedAlignment === null) return null;
  const { type, value } = statedAlignment;
  if (type !== "uint32") return `general.alignment must be a uint32 and is ${type}`;
  const isPower = typeof value === "number" && value > 0 && (value & (value - 1)) === 0;
  return isPower ? null : `general.alignment is ${value}: "not a power of 2"`;
}

function typeRule({ facts, version }: Question, sizeOf: SizeOf, since: (typeNumber: number) => string | undefined) {
  for (const { name, typeNumber, type, shape } of facts.gguf!.placed) {
    const size = sizeOf(typeNumber, version);
    if (size === undefined) {
      const from = since(typeNumber);
      const later = from === undefined ? "" : `, which has it from ${from} on`;
      return refuses(`type ${typeNumber} of ${name} (${type}) is not known to it${later}`);
    }
    const cols = shape[shape.length - 1];
    if (cols % size.elements !== 0) {
      return refuses(
        `${name} has rows of ${cols} elements, no multiple of the ${size.elements} of a block of type ${typeNumber}`,
      );
    }
  }
  return null;
}

/** Tensors must lie one after the other, by the sizes that the program has for their types. */
function placeRule({ facts, version }: Question, sizeOf: SizeOf) {
  const { placed, alignment, dataBytes } = facts.gguf!;
  const ends = dataBytes.map(() => 0);
  let previous = "";
  for (const { name, shape, typeNumber, type, offset, part } of placed) {
    const { elements, bytes, tail = 0 } = sizeOf(typeNumber, version)!;
    if (offset !== ends[part]) {
      return refuses(`tensor ${name} has offset ${offset}, expected ${ends[part]}${previous}`);
    }
    const size = (shape.reduce((product, each) => product * each, 1) / elements) * bytes + tail;
    if (offset + size > dataBytes[part]) {
      return refuses(
        `tensor ${name} (${type}) ends ${offset + size - dataBytes[part]} bytes after the file, by its block of ${bytes} bytes`,
      );
    }
    ends[part] += Math.ceil(size / alignment) * alignment;
    previous = `: ${name} is ${type}, and it takes type ${typeNumber} for ${bytes} bytes per ${elements} elements`;
  }
  return null;
}

const vocabularyRule: Rule = ({ facts: { tokenizer, embeddingRows } }) => {
  if (tokenizer?.model == null || tokenizer.tokens === null) {
    return refuses("the file has no vocabulary (tokenizer.ggml.model, tokenizer.ggml.tokens): it ends the program");
  }
  const { model, tokens, pre } = tokenizer;
  if (embeddingRows !== null && tokens !== embeddingRows) {
    return refuses(
      `token_embd.weight has the wrong shape: ${embeddingRows} rows, and the vocabulary has ${tokens} tokens`,
    );
  }
  if (model !== "gpt2") return null;
  if (pre === null) return computesElse("without tokenizer.ggml.pre it splits text its own default way: other tokens");
  return namedPreTokenizers.has(pre) ? null : notKnown(`whether it knows the pre-tokenizer "${pre}"`);
};

/** Rotations folded into the weights, which a program that knows nothing of them leaves out. */
export const foldedRule: Rule = ({ facts }) =>
  facts.gguf?.isFolded
    ? computesElse(
        "the weights are folded with a Hadamard rotation (prism.hadamard.*), which it leaves out: it loads and answers nonsense",
      )
    : null;

/** The graph of BitNet, as ggml's programs build it: names and shapes that must be there. */
export function bitnetGraphRule({ facts }: Question) {
  const { layers } = facts.sizes;
  const { attention, feedForward } = facts.subNorms;
  if (layers !== null && (attention < layers || feedForward < layers)) {
    return refuses(
      `missing tensor: its ${facts.architecture} graph has attn_sub_norm and ffn_sub_norm in every layer, the file in ${attention} and ${feedForward} of ${layers}`,
    );
  }
  if (facts.headType !== null) return refuses("output.weight is one tensor too many: its head is the embedding");
  return squareRule(facts);
}

/** The graph of Llama, as ggml's programs build it: no tensor may be left over. */
export const llamaGraphRule: Rule = ({ facts: { architecture, subNorms } }) =>
  architecture === "llama" && subNorms.attention + subNorms.feedForward > 0
    ? refuses("its llama graph has no sub-norms: attn_sub_norm and ffn_sub_norm are tensors too many")
    : null;

function squareRule({ query, output, sizes: { hidden } }: ModelFacts) {
  for (const [name, shape] of [
    ["attn_q", query],
    ["attn_output", output],
  ] as const) {
    if (shape !== null && hidden !== null && String(shape) !== String([hidden, hidden])) {
      return refuses(
        `blk.0.${name}.weight has the wrong shape: [${shape.join(", ")}], and the graph has [${hidden}, ${hidden}]`,
      );
    }
  }
  return null;
}

/** The activation that the model was trained with, and how that is known. */
export function trainedAct({ facts, evidence }: Question): { name: string; why: string } | null {
  if (evidence.hiddenAct !== null) return evidence.hiddenAct;
  return facts.hiddenAct === null ? null : { name: facts.hiddenAct, why: "says a key" };
}

const actNames = { silu: "SiLU", relu2: "relu^2", gelu_tanh: "GELU" };

/** What a graph with a hard-coded activation makes of the model. */
export function hardCodedAct(question: Question, act: keyof typeof actNames) {
  const trained = trainedAct(question);
  if (trained === null || trained.name === act) return null;
  const name = actNames[trained.name as keyof typeof actNames] ?? trained.name;
  return computesElse(
    `gated ${actNames[act]}, which its ${question.facts.architecture} graph always has; the model was trained with ${name} (${trained.why})`,
  );
}
