/**
 * Which files of a Hugging Face data set are meant: by a path or pattern, or by configuration and split - as the
 * `configs` in the header of its README.md say, and without them by the usual file names.
 */

import { posix } from "node:path";
import { parse } from "yaml";
import { largest } from "../arrays/large_arrays.ts";
import { DataError } from "./data_error.ts";
import { type DataFormat, formatOf } from "./data_format.ts";
import { globMatcher, isGlob } from "./glob.ts";
import { isDescription, unwantedName } from "./unwanted_names.ts";

/** `owner/name`, `owner/name@revision`, each with `:path`, `:pattern`, `:split`, `:config` or `:config/split`. */
export interface HubDatasetId {
  name: string;
  revision: string;
  selector: string | null;
}

/** Reads an id; null if `text` cannot be one. */
export function parseHubDatasetId(text: string): HubDatasetId | null {
  const match = /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@([^:\s]+))?(?::(\S+))?$/.exec(text);
  return match && { name: match[1], revision: match[2] ?? "main", selector: match[3] ?? null };
}

interface DeclaredConfig {
  name: string;
  isDefault: boolean;
  /** Path patterns of each split. */
  splits: Map<string, string[]>;
}

function patternsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((entry): entry is string => typeof entry === "string");
}

/** The `configs` of a README's YAML header; none if there is no header or it says nothing about files. */
export function declaredConfigs(readme: string): DeclaredConfig[] {
  const header = /^---\r?\n([\s\S]*?)\r?\n---/.exec(readme);
  let configs: unknown;
  try {
    configs = header ? (parse(header[1]) as { configs?: unknown } | null)?.configs : undefined;
  } catch {
    return [];
  }
  if (!Array.isArray(configs)) return [];
  return configs.flatMap((entry: Record<string, unknown> | null): DeclaredConfig[] => {
    if (typeof entry?.config_name !== "string" || entry.data_files === undefined) return [];
    const splits = new Map<string, string[]>();
    const list = Array.isArray(entry.data_files) ? entry.data_files : [entry.data_files];
    for (const file of list as unknown[]) {
      if (typeof file === "string") splits.set("train", [...(splits.get("train") ?? []), file]);
      else {
        const { split, path } = file as { split?: unknown; path?: unknown };
        if (typeof split === "string") splits.set(split, patternsOf(path));
      }
    }
    return splits.size === 0 ? [] : [{ name: entry.config_name, isDefault: entry.default === true, splits }];
  });
}

const splitNames = ["train", "validation", "valid", "val", "dev", "test", "eval"];

/** Split that a path's name tells: `data/train-00000-of-00001.parquet`, `config/test/0000.parquet`, `dev.jsonl`. */
function splitOf(file: string): string | null {
  const words = file.toLowerCase().split(/[^a-z]+/);
  return splitNames.find((name) => words.includes(name)) ?? null;
}

function byDeclaration(configs: DeclaredConfig[], id: HubDatasetId, files: string[]): string[] {
  const [head, ...tail] = (id.selector ?? "").split("/");
  const fallback = configs.find(({ isDefault, name }) => isDefault || name === "default") ?? configs[0];
  const named = configs.find(({ name }) => name === head);
  const config = named ?? fallback;
  const split = named ? tail.join("/") : (id.selector ?? "");
  const wanted = split !== "" ? split : config.splits.has("train") ? "train" : [...config.splits.keys()][0];
  const patterns = config.splits.get(wanted);
  if (!patterns) {
    const known = configs.flatMap(({ name, splits }) => [...splits.keys()].map((key) => `${name}/${key}`));
    throw new DataError(
      `data set ${id.name}: no configuration or split "${id.selector}" (there are: ${known.join(", ")})`,
    );
  }
  const matchers = patterns.map(globMatcher);
  return files.filter((file) => matchers.some((matches) => matches(file)));
}

function byName(id: HubDatasetId, files: string[]): string[] {
  if (id.selector === null) {
    const train = files.filter((file) => splitOf(file) === "train");
    return train.length > 0 ? train : files.filter((file) => splitOf(file) === null);
  }
  const parts = id.selector.split("/");
  const split = splitNames.includes(parts[parts.length - 1]) ? parts.pop()! : null;
  const folder = parts.join("/");
  return files.filter((file) => {
    if (folder !== "" && !file.startsWith(`${folder}/`)) return false;
    return split === null || splitOf(file) === split;
  });
}

/** In this order, where a data set has as many files of one format as of another. */
const preferred: readonly DataFormat[] = ["parquet", "arrow", "jsonl", "csv", "tsv", "text"];

/** The files of the most frequent format, as `datasets` takes them: the others may hold the same rows once more. */
function ofOneFormat(files: string[]): string[] {
  const ofFormat = (format: DataFormat) => files.filter((file) => formatOf(file)?.format === format);
  const groups = preferred.map(ofFormat);
  const most = largest(groups.map(({ length }) => length));
  return groups.find(({ length }) => length === most)!;
}

/**
 * The chosen ones of `files` (paths in the repository), sorted.
 * @param readme text of README.md, if there is one.
 * @throws {DataError} if nothing readable matches; it lists some of what there is.
 */
export function selectFiles(id: HubDatasetId, files: readonly string[], readme: string | null): string[] {
  const readable = files.filter(
    (file) =>
      formatOf(file) !== null &&
      !file.split("/").some((name) => unwantedName(name)) &&
      !isDescription(posix.basename(file)),
  );
  const { selector } = id;
  const configs = readme === null ? [] : declaredConfigs(readme);
  let chosen: string[];
  if (selector !== null && (isGlob(selector) || files.includes(selector))) {
    const matches = globMatcher(selector);
    chosen = readable.filter((file) => file === selector || matches(file));
  } else {
    chosen = configs.length > 0 ? byDeclaration(configs, id, readable) : ofOneFormat(byName(id, readable));
  }
  if (chosen.length === 0) {
    const what = selector === null ? "no readable file" : `no readable file matches "${selector}"`;
    const some = readable.slice(0, 5).join(", ");
    const hint = some === "" ? `; its Parquet copy may be at ${id.name}@refs/convert/parquet` : ` (there are: ${some})`;
    throw new DataError(`data set ${id.name}: ${what}${hint}`);
  }
  return chosen.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
