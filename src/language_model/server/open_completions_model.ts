/**
 * Opens `--model http://host:port/v1`: reads `--model-args`, asks the server which models it has, and chooses how to score.
 */
import { nearestHint } from "../../errors/nearest_name.ts";
import { UserError } from "../../errors/user_error.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { CompletionsClient, type CompletionsClientOptions } from "./completions_client.ts";
import { CompletionsLanguageModel, type Scoring } from "./completions_language_model.ts";
import type { PromptForm } from "./prompt_form.ts";
import { servedModels, serverTraits } from "./served_model.ts";
import type { ServedShape } from "./served_shape.ts";
import { ServerError } from "./server_error.ts";

/** The arguments cannot be understood; the message names the key. */
export class ModelArgsError extends UserError {
  override name = "ModelArgsError";
}

export interface ServerArguments {
  /** Path of a tokenizer.json, of a folder with one, or of a GGUF file; or the id of a model on the Hugging Face Hub. */
  tokenizer: string;
  model?: string;
  maxLength?: number;
  scoring?: Scoring;
  prompts?: PromptForm;
  concurrency?: number;
  batchSize?: number;
  timeoutSeconds?: number;
  retries?: number;
}

const readers = {
  tokenizer: (text: string) => ({ tokenizer: text }),
  model: (text: string) => ({ model: text }),
  max_length: (text: string) => ({ maxLength: wholeNumber("max_length", text, 1, 1 << 24) }),
  scoring: (text: string) => ({ scoring: oneOf("scoring", text, ["echo", "forced"]) }),
  prompts: (text: string) => ({ prompts: oneOf("prompts", text, ["ids", "text"]) }),
  num_concurrent: (text: string) => ({ concurrency: wholeNumber("num_concurrent", text, 1, 256) }),
  batch_size: (text: string) => ({ batchSize: wholeNumber("batch_size", text, 1, 1024) }),
  timeout: (text: string) => ({ timeoutSeconds: wholeNumber("timeout", text, 1, 300) }),
  max_retries: (text: string) => ({ retries: wholeNumber("max_retries", text, 0, 20) }),
};

function wholeNumber(key: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
  throw new ModelArgsError(`${key} must be a whole number from ${minimum} to ${maximum}, not "${text}"`);
}

function oneOf<Name extends string>(key: string, text: string, names: readonly Name[]): Name {
  const name = names.find((known) => known === text);
  if (name !== undefined) return name;
  throw new ModelArgsError(`${key} must be ${names.join(" or ")}, not "${text}"`);
}

/** Reads `key=value,key=value`. @throws {ModelArgsError} naming the nearest key, or what the value must be. */
export function parseServerArguments(text: string): ServerArguments {
  const values: Partial<ServerArguments> = {};
  for (const pair of text.split(",").filter((part) => part.trim() !== "")) {
    const [key, ...rest] = pair.split("=");
    const read = readers[key.trim() as keyof typeof readers];
    if (read === undefined) {
      throw new ModelArgsError(
        `unknown key "${key.trim()}"${nearestHint(key, Object.keys(readers))} (known: ${Object.keys(readers).join(", ")})`,
      );
    }
    const value = rest.join("=").trim();
    if (value === "") throw new ModelArgsError(`${key.trim()} needs a value`);
    Object.assign(values, read(value));
  }
  const { tokenizer } = values;
  if (tokenizer === undefined) {
    throw new ModelArgsError(
      "a server needs tokenizer=PATH: its tokenizer.json, a folder with one, its GGUF file, or owner/name on the Hub",
    );
  }
  if (values.scoring === "forced" && values.prompts === "text") {
    throw new ModelArgsError("scoring=forced needs prompts=ids: the tokens before a single one cannot go out as text");
  }
  return { ...values, tokenizer };
}

/** lm-evaluation-harness's for servers. */
const defaultContextLength = 2048;

/** Ids of this text tell whether two tokenizers are the same. */
const sampleText = "Question: how many of 1250 lazy dogs weren't jumped over?\n\nAnswer: THE last_one (I think).";

/** llama.cpp's server tells how it tokenizes. @throws {ServerError} if not as `tokenizer` does */
async function checkTokenizer(options: CompletionsClientOptions, tokenizer: Tokenizer, signal?: AbortSignal) {
  const client = new CompletionsClient({ ...options, url: options.url.replace(/\/v1\/*$/, ""), retries: 0 });
  let tokens: unknown;
  try {
    const answer = await client.post("tokenize", { content: sampleText, add_special: false }, signal);
    tokens = (answer as { tokens?: unknown }).tokens;
  } catch (error) {
    // Hidden behind a proxy, say: the requests will show it.
    if (error instanceof ServerError) return;
    throw error;
  }
  if (String(tokens) !== String(tokenizer.encode(sampleText, { addSpecialTokens: false }))) {
    throw new ServerError(`${options.url}: its tokenizer is not that of tokenizer=: the same text has other ids`);
  }
}

export interface ConnectionOptions extends Pick<CompletionsClientOptions, "apiKey" | "onRetry" | "wait"> {
  /** What files tell of the model. */
  served?: ServedShape;
}

/**
 * @param tokenizer of the served model: requests go out as ids
 * @throws {ServerError} if no server answers, or it has no such model.
 */
export async function openCompletionsModel(
  url: string,
  settings: ServerArguments,
  tokenizer: Tokenizer,
  { served, ...connection }: ConnectionOptions = {},
  signal?: AbortSignal,
): Promise<CompletionsLanguageModel> {
  const { timeoutSeconds, retries } = settings;
  const options = { url, ...connection, timeoutSeconds };
  // A server that is not there is said at once.
  const models = servedModels(await new CompletionsClient({ ...options, retries: 0 }).get("models", signal));
  const model = settings.model ?? models[0]?.id;
  if (model === undefined) throw new ServerError(`${url}/models names no model: give model=NAME`);
  const entry = models.find(({ id }) => id === model);
  if (entry === undefined && models.length > 0) {
    throw new ServerError(`${url} has no model "${model}" (models: ${models.map(({ id }) => id).join(", ")})`);
  }
  const traits = serverTraits(entry);
  const scoring = settings.scoring ?? traits.scoring;
  if (traits.isLlamaCpp) await checkTokenizer(options, tokenizer, signal);
  const contextLength = settings.maxLength ?? traits.contextLength ?? defaultContextLength;
  return new CompletionsLanguageModel({
    client: new CompletionsClient({ ...options, retries }),
    model,
    tokenizer,
    // The last token that is scored needs no position with us; a server wants one for it with echo, and one to generate.
    maxLength: Math.max(1, contextLength - (scoring === "echo" ? 2 : 1)),
    scoring,
    promptForm: scoring === "forced" ? "ids" : (settings.prompts ?? traits.promptForm),
    sampling: traits.sampling,
    concurrency: settings.concurrency,
    batchSize: settings.batchSize,
    parameters: traits.parameters,
    served,
  });
}
