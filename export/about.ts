/** Who made a model, on what terms, and how it came about: for people, in the words of GGUF's `general.*` keys. */
import type { GgufMetadata, GgufValue } from "../src/gguf/gguf_types.ts";

/** What a person says of the model. */
export interface About {
  author?: string;
  organization?: string;
  version?: string;
  description?: string;
  /** SPDX identifier, `mit` or `apache-2.0`; or any name. */
  license?: string;
  url?: string;
  tags?: readonly string[];
  /** Codes of two letters. */
  languages?: readonly string[];
}

/** What the run says of it. */
export interface TrainingFacts {
  steps: number;
  /** Seen in training, repetitions included. */
  tokens?: number;
  /** Mean training loss up to there since the metrics row before, nats per token. */
  loss?: number;
  /** Nats per token, and bits per byte of text. */
  validationLoss?: number;
  bitsPerByte?: number;
  /** The version of this package that the run was started with. */
  madeWith?: string;
}

/** Words for the run, where nobody has described the model. */
function describeTraining({ steps, tokens, loss, validationLoss }: TrainingFacts): string {
  const seen = tokens === undefined ? "" : ` on ${tokens.toLocaleString("en-US")} tokens`;
  const losses = [
    loss === undefined ? "" : `training loss ${loss.toFixed(4)}`,
    validationLoss === undefined ? "" : `validation loss ${validationLoss.toFixed(4)}`,
  ].filter((text) => text !== "");
  const end = losses.length === 0 ? "" : `; ${losses.join(", ")} nats per token`;
  return `Trained with bitnet-lab for ${steps.toLocaleString("en-US")} steps${seen}${end}.`;
}

/** Metadata entries, of what is known only. */
export function aboutMetadata(about: About, facts: TrainingFacts | undefined): [string, GgufValue][] {
  const entries: [string, GgufValue][] = [];
  const text = (key: string, value: string | undefined) => {
    if (value !== undefined) entries.push([key, { type: "string", value }]);
  };
  const texts = (key: string, value: readonly string[] | undefined) => {
    if (value !== undefined && value.length > 0) entries.push([key, { type: "array", of: "string", value }]);
  };
  const number = (key: string, type: "uint32" | "uint64" | "float32", value: number | undefined) => {
    if (value !== undefined) entries.push([key, { type, value: type === "float32" ? Math.fround(value) : value }]);
  };
  text("general.author", about.author);
  text("general.organization", about.organization);
  text("general.version", about.version);
  text("general.description", about.description ?? (facts && describeTraining(facts)));
  text("general.license", about.license);
  text("general.url", about.url);
  texts("general.tags", about.tags);
  texts("general.languages", about.languages);
  if (facts === undefined) return entries;
  number("training.steps", "uint32", facts.steps);
  number("training.tokens", "uint64", facts.tokens);
  number("training.loss", "float32", facts.loss);
  number("training.validation_loss", "float32", facts.validationLoss);
  number("training.bits_per_byte", "float32", facts.bitsPerByte);
  text("training.made_with", facts.madeWith);
  return entries;
}

/** The way back of {@link aboutMetadata}: what a GGUF file says of its maker and its training. */
export function aboutOfMetadata(metadata: GgufMetadata): { about: About; trainingFacts?: TrainingFacts } {
  const text = (key: string) => {
    const entry = metadata.get(key);
    return entry?.type === "string" ? entry.value : undefined;
  };
  const texts = (key: string) => {
    const entry = metadata.get(key);
    return entry?.type === "array" && entry.of === "string" ? entry.value : undefined;
  };
  const number = (key: string) => {
    const value = metadata.get(key)?.value;
    return typeof value === "number" ? value : undefined;
  };
  const about = {
    author: text("general.author"),
    organization: text("general.organization"),
    version: text("general.version"),
    description: text("general.description"),
    license: text("general.license"),
    url: text("general.url"),
    tags: texts("general.tags"),
    languages: texts("general.languages"),
  };
  const steps = number("training.steps");
  if (steps === undefined) return { about };
  return {
    about,
    trainingFacts: {
      steps,
      tokens: number("training.tokens"),
      loss: number("training.loss"),
      validationLoss: number("training.validation_loss"),
      bitsPerByte: number("training.bits_per_byte"),
      madeWith: text("training.made_with"),
    },
  };
}
