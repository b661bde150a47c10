/**
 * Opens `--model http://host:port/v1`: reads `--model-args`, asks the server which models it has, and chooses how to score.
 */
import { nearestName } from "../../config/nearest_name.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { CompletionsClient, type CompletionsClientOptions } from "./completions_client.ts";
import { CompletionsLanguageModel, type Scoring } from "./completions_language_model.ts";
import { ServerError } from "./server_error.ts";

/** The arguments cannot be understood; the message names the key. */
export class ModelArgsError extends Error {
  override name = "ModelArgsError";
}

export interface ServerArguments {
  /** Path of a tokenizer.json, of a folder with one, or of a GGUF file; or the id of a model on the Hugging Face Hub. */
  tokenizer: string;
  model?: string;
  maxLength?: number;
  scoring?: Scoring;
  concurrency?: number;
  batchSize?: number;
  timeoutSeconds?: number;
  retries?: number;
}

const readers = {
  tokenizer: (text: string) => ({ tokenizer: text }),
  model: (text: string) => ({ model: text }),
  max_length: (text: string) => ({ maxLength: wholeNumber("max_length", text, 1, 1 << 24) }),
  scoring: (text: string) => ({ scoring: scoringName(text) }),
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

function scoringName(text: string): Scoring {
  if (text === "echo" || text === "forced") return text;
  throw new ModelArgsError(`scoring must be echo or forced, not "${text}"`);
}

/** Reads `key=value,key=value`. @throws {ModelArgsError} naming the nearest key, or what the value must be. */
export function parseServerArguments(text: string): ServerArguments {
  const values: Partial<ServerArguments> = {};
  for (const pair of text.split(",").filter((part) => part.trim() !== "")) {
    const [key, ...rest] = pair.split("=");
    const read = readers[key.trim() as keyof typeof readers];
    if (read === undefined) {
      throw new ModelArgsError(`unknown key "${key.trim()}"; the nearest is ${nearestName(key, Object.keys(readers))}`);
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
  return { ...values, tokenizer };
}

/** lm-evaluation-harness's for servers. */
const defaultMaxLength = 2048;

interface ServedModel {
  id: string;
  owned_by?: string;
  max_model_len?: number;
}

function servedModels(answer: unknown): ServedModel[] {
  const data = (answer as { data?: unknown } | null)?.data;
  const isModel = (entry: unknown): entry is ServedModel => typeof (entry as ServedModel | null)?.id === "string";
  return Array.isArray(data) ? data.filter(isModel) : [];
}

/**
 * @param tokenizer of the served model: requests go out as ids
 * @throws {ServerError} if no server answers, or it has no such model.
 */
export async function openCompletionsModel(
  url: string,
  settings: ServerArguments,
  tokenizer: Tokenizer,
  connection: Pick<CompletionsClientOptions, "apiKey" | "wait"> = {},
  signal?: AbortSignal,
): Promise<CompletionsLanguageModel> {
  const { timeoutSeconds, retries } = settings;
  const options = { url, ...connection, timeoutSeconds };
  // A server that is not there is said at once.
  const models = servedModels(await new CompletionsClient({ ...options, retries: 0 }).get("models", signal));
  const model = settings.model ?? models[0]?.id;
  if (model === undefined) throw new ServerError(`${url}/models names no model: give model=NAME`);
  const served = models.find(({ id }) => id === model);
  if (served === undefined && models.length > 0) {
    throw new ServerError(`${url} has no model "${model}" (models: ${models.map(({ id }) => id).join(", ")})`);
  }
  return new CompletionsLanguageModel({
    client: new CompletionsClient({ ...options, retries }),
    model,
    tokenizer,
    maxLength: settings.maxLength ?? served?.max_model_len ?? defaultMaxLength,
    scoring: settings.scoring ?? (served?.owned_by === "llamacpp" ? "forced" : "echo"),
    concurrency: settings.concurrency,
    batchSize: settings.batchSize,
  });
}
