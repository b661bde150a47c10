/**
 * `--gen_kwargs max_gen_toks=96,temperature=0`, or as JSON: lm-evaluation-harness's overrides of the generation settings, its other
 * names for max_gen_toks included.
 */
import { nearestHint } from "../../src/errors/nearest_name.ts";
import { UserError } from "../../src/errors/user_error.ts";
import type { GenerationKwargs } from "../../src/eval/task/task.ts";

/** The overrides cannot be understood; the message names the key. */
export class GenKwargsError extends UserError {
  override name = "GenKwargsError";
}

type Kind = "count" | "number" | "share" | "boolean" | "text";

const keys: Record<string, { key: keyof GenerationKwargs; kind: Kind }> = {
  max_gen_toks: { key: "max_gen_toks", kind: "count" },
  max_new_tokens: { key: "max_gen_toks", kind: "count" },
  max_tokens: { key: "max_gen_toks", kind: "count" },
  max_completion_tokens: { key: "max_gen_toks", kind: "count" },
  temperature: { key: "temperature", kind: "number" },
  top_k: { key: "top_k", kind: "count" },
  top_p: { key: "top_p", kind: "share" },
  do_sample: { key: "do_sample", kind: "boolean" },
  until: { key: "until", kind: "text" },
};

const readers: Record<Kind, { expected: string; read: (text: string) => unknown }> = {
  count: {
    expected: "a whole number of at least 1",
    read: (text) => (/^[1-9]\d*$/.test(text) ? Number(text) : undefined),
  },
  number: { expected: "a number from 0", read: (text) => (/^\d*\.?\d+$/.test(text) ? Number(text) : undefined) },
  share: {
    expected: "a number above 0 and at most 1",
    read: (text) => (Number(text) > 0 && Number(text) <= 1 ? Number(text) : undefined),
  },
  boolean: { expected: "true or false", read: (text) => ({ true: true, false: false })[text.toLowerCase()] },
  text: { expected: "a text", read: (text) => (text === "" ? undefined : [text]) },
};

/** Keys and values of `key=value,key=value` or of a JSON object. */
function entriesOf(text: string): [name: string, value: unknown][] {
  if (!text.trimStart().startsWith("{")) {
    return text.split(",").map((pair) => {
      const [name, ...rest] = pair.split("=");
      return [name.trim(), rest.length === 0 ? undefined : rest.join("=").trim()];
    });
  }
  try {
    return Object.entries(JSON.parse(text));
  } catch (error) {
    throw new GenKwargsError(`not valid JSON: ${(error as Error).message}`);
  }
}

/**
 * Reads `key=value,key=value`, or a JSON object, whose `until` may be a list.
 * @throws {GenKwargsError} naming the nearest key, or what the value must be; or if temperature would have no effect.
 */
export function parseGenKwargs(text: string): Partial<GenerationKwargs> {
  const settings: Record<string, unknown> = {};
  for (const [name, given] of entriesOf(text)) {
    const known = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (known === undefined) {
      throw new GenKwargsError(
        `unknown key "${name}"${nearestHint(name, Object.keys(keys))} (known: ${Object.keys(keys).join(", ")})`,
      );
    }
    const { expected, read } = readers[known.kind];
    const isList = known.kind === "text" && Array.isArray(given) && given.every((entry) => typeof entry === "string");
    const isReadable = given !== undefined && typeof given !== "object";
    const value = isList ? given : isReadable ? read(String(given)) : undefined;
    if (value === undefined) throw new GenKwargsError(`${name} must be ${expected}, not "${given ?? ""}"`);
    settings[known.key] = value;
  }
  if (Number(settings.temperature ?? 0) > 0 && settings.do_sample !== true) {
    throw new GenKwargsError(`temperature=${settings.temperature} needs do_sample=true (the tasks are greedy)`);
  }
  return settings as Partial<GenerationKwargs>;
}
