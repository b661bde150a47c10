/** Documents as lm-evaluation-harness writes them to its samples: Python's JSON, other types by their `str`. */
import { type JsonOptions, jsonDumps } from "../../python/json.ts";
import { PythonObject } from "../../python/python_object.ts";
import { isPlainDict, PythonFloat } from "../../python/values.ts";

function jsonValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonValue);
  if (value instanceof PythonFloat) return value;
  if (value instanceof PythonObject) return value.str();
  if (!isPlainDict(value)) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, jsonValue(entry)]));
}

/** `json.dumps(document, ensure_ascii=False)`. @param layout null: on one line, without blanks */
export function documentJson(document: unknown, layout: { indent: number } | null): string {
  const options: JsonOptions = {
    ensureAscii: false,
    indent: layout?.indent ?? null,
    separators: layout === null ? [",", ":"] : null,
    sortKeys: false,
  };
  return jsonDumps(jsonValue(document), options);
}
