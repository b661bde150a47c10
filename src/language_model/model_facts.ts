/** What is known of a language model besides its answers: for reports, comparisons and the cache of its answers. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import { packageVersion } from "../files/package.ts";
import type { ModelShape } from "./model_shape.ts";

interface CommonFacts {
  /** Weights; null if a server does not tell. */
  parameters: number | null;
  /** Null if it is not known, or not that of a Llama-like decoder. */
  shape: ModelShape | null;
  /** Bytes of the linear layers' weights as they are stored, embedding and head left out; null if not known. */
  linearBytes: number | null;
  /**
   * What the answers depend on besides the request, as one string: the bytes of the files (which are read for it) and what
   * computes with them. Neither a path nor the number of threads belongs to it.
   */
  identity(): Promise<string>;
}

/** A GGUF file in the native engine. */
export interface EngineFacts extends CommonFacts {
  kind: "engine";
  /** Kernel variant. */
  variant: string;
  threads: number;
  architecture: string;
  /** GGUF types. */
  weightType: string;
  embeddingType: string;
  parameters: number;
  fileBytes: number;
}

/** A checkpoint, or a model in memory, on a tfjs backend. */
export interface CheckpointFacts extends CommonFacts {
  kind: "checkpoint";
  /** What computes; null if the caller did not say. */
  compute: { backend: string; variant: string; threads: number } | null;
}

/** A model behind a completions server. */
export interface ServerFacts extends CommonFacts {
  kind: "server";
  /** As the server calls it. */
  model: string;
  /** How it is asked for log-likelihoods. */
  scoring: string;
  /** What requests carry: ids or text. */
  prompts: string;
  /** The beginning of the tokenizer's hash. */
  tokenizer: string;
}

export type ModelFacts = EngineFacts | CheckpointFacts | ServerFacts;

/** The facts that a score or a speed depends on, under the keys of reports and results files. */
export function reportedFacts(facts: ModelFacts): Record<string, string | number> {
  const parameters: Record<string, number> = facts.parameters === null ? {} : { parameters: facts.parameters };
  switch (facts.kind) {
    case "engine":
      return {
        backend: "native engine",
        isa: facts.variant,
        threads: facts.threads,
        architecture: facts.architecture,
        weight_type: facts.weightType,
        embedding_type: facts.embeddingType,
        ...parameters,
        file_bytes: facts.fileBytes,
      };
    case "checkpoint": {
      if (facts.compute === null) return parameters;
      const { backend, variant, threads } = facts.compute;
      return { ...parameters, backend, isa: variant, threads };
    }
    case "server":
      return {
        backend: "completions server",
        model: facts.model,
        scoring: facts.scoring,
        prompts: facts.prompts,
        tokenizer: facts.tokenizer,
        ...parameters,
      };
  }
}

/** `small.gguf: backend native engine, isa avx2, threads 2 ...`, for people. */
export function describeModel({ name, facts }: { name: string; facts: ModelFacts }): string {
  const words = Object.entries(reportedFacts(facts)).map(([key, value]) => `${key.replaceAll("_", " ")} ${value}`);
  return `${name}: ${words.join(", ")}`;
}

/** Identity of a model of ours: what computes, and the contents of its files in order, with their names if `named`. */
export async function filesIdentity(computes: string, files: readonly string[], named: boolean): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) {
    if (named) hash.update(`\0${path.basename(file)}\0`);
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  }
  return `bitnet-lab ${packageVersion()} ${computes} ${hash.digest("hex")}`;
}
