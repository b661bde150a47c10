/**
 * Reads task files: YAML, one task or group per document (several documents with `---` between them), `include: file`
 * for shared keys. Every problem is one line with file and line.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { isMap, isNode, isScalar, LineCounter, type Node, parseAllDocuments, type YAMLMap } from "yaml";
import type { z } from "zod";
import { valueAt } from "../../config/schema_errors.ts";
import { nearestHint } from "../../errors/nearest_name.ts";
import { systemErrorText } from "../../errors/system_error.ts";
import { UserError } from "../../errors/user_error.ts";
import {
  FunctionName,
  type GroupConfig,
  groupSchema,
  nestedKeys,
  type TaskConfig,
  taskSchema,
} from "../schema/task_schema.ts";

/** A task file cannot be used. The message has one line per problem. */
export class TaskFileError extends UserError {
  override name = "TaskFileError";
}

export interface TaskEntry {
  kind: "task";
  file: string;
  config: TaskConfig;
  /** `file:line` of a key, for problems that show later. */
  locate(key: string): string;
}

export interface GroupEntry {
  kind: "group";
  file: string;
  config: GroupConfig;
}

export type TaskFileEntry = TaskEntry | GroupEntry;

const functionTag = { tag: "!function", resolve: (name: string) => new FunctionName(name.trim()) };

/** Where a key was written: in the file itself or in one that it includes. */
type Locate = (keys: readonly PropertyKey[]) => string;

interface Section {
  values: Record<string, unknown>;
  locate: Locate;
}

/** The tasks and groups of a file. @throws {TaskFileError} */
export function readTaskFile(file: string): TaskFileEntry[] {
  return readSections(file, [], new Map()).flatMap((section): TaskFileEntry[] => {
    const { values, locate } = section;
    if (typeof values.group === "string") return [{ kind: "group", file, config: check(groupSchema, section) }];
    // A file without a name only serves to be included.
    if (values.task === undefined) return [];
    return [{ kind: "task", file, config: check(taskSchema, section), locate: (key) => locate([key]) }];
  });
}

/** @param known what has been read already: many tasks of a file may include the same one */
function readSections(file: string, includedBy: readonly string[], known: Map<string, Section[]>): Section[] {
  if (includedBy.includes(file)) throw new TaskFileError(`${file}: includes itself (through ${includedBy.at(-1)})`);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const by = includedBy.length > 0 ? ` (included by ${includedBy.at(-1)})` : "";
    throw new TaskFileError(`${file}: cannot be read: ${systemErrorText(error)}${by}`);
  }
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter, prettyErrors: false, customTags: [functionTag] });
  return documents.flatMap((document): Section[] => {
    const [problem] = document.errors;
    if (problem) {
      const { line, col } = lineCounter.linePos(problem.pos[0]);
      throw new TaskFileError(`${file}:${line}:${col}: not valid YAML: ${problem.message.split("\n")[0]}`);
    }
    if (document.contents === null) return [];
    if (!isMap(document.contents))
      throw new TaskFileError(`${file}: expected keys of a task, \`task: name\` and so on`);
    const root = document.contents;
    const at = (node: Node) => `${file}:${lineCounter.linePos(node.range![0]).line}`;
    const own = document.toJS() as Record<string, unknown>;
    const { include, ...values } = own;
    const locate: Locate = (keys) => at(nodeOf(root, keys) ?? root);
    if (include === undefined) return [{ values, locate }];
    if (typeof include !== "string") throw new TaskFileError(`${locate(["include"])}: include: expected a file name`);
    const included = path.resolve(path.dirname(file), include);
    const sections = known.get(included) ?? readSections(included, [...includedBy, file], known);
    known.set(included, sections);
    const [base] = sections;
    const isOwn = (key: PropertyKey | undefined) => key === undefined || String(key) in values;
    return [
      {
        values: { ...base?.values, ...values },
        locate: (keys) => (isOwn(keys[0]) ? locate(keys) : base.locate(keys)),
      },
    ];
  });
}

/** The key of the last part of `keys` that is there. */
function nodeOf(map: YAMLMap, keys: readonly PropertyKey[]): Node | undefined {
  const pair = map.items.find(({ key }) => isScalar(key) && key.value === keys[0]);
  if (!pair || !isNode(pair.key)) return undefined;
  let found: Node = pair.key;
  let value: unknown = pair.value;
  for (const key of keys.slice(1)) {
    if (isMap(value)) {
      const inner = value.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (!inner) break;
      found = inner.key as Node;
      value = inner.value;
    } else {
      const item = (value as { items?: unknown[] } | null)?.items?.[Number(key)];
      if (!isNode(item)) break;
      found = item;
      value = item;
    }
  }
  return found;
}

function check<T>(schema: z.ZodObject & z.ZodType<T>, { values, locate }: Section): T {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const lines = result.error.issues.flatMap((issue) => {
    const where = issue.path.join(".");
    if (issue.code !== "unrecognized_keys") {
      const isMissing = valueAt(values, issue.path) === undefined;
      return [`${locate(issue.path)}: ${where} ${isMissing ? "is missing" : `- ${issue.message}`}`];
    }
    return issue.keys.map((key) => {
      const known = issue.path.length === 0 ? Object.keys(schema.shape) : (nestedKeys[String(issue.path[0])] ?? []);
      const place = locate([...issue.path, key]);
      return `${place}: unknown key ${[...issue.path, key].join(".")}${nearestHint(key, known)}`;
    });
  });
  throw new TaskFileError(lines.join("\n"));
}
