/** Reads the file of a sweep: YAML, then the schema. Every problem is one line with file, line, key and the nearest key. */
import { isNode, LineCounter, parseDocument, stringify } from "yaml";
import { describeProblems } from "../../src/config/schema_errors.ts";
import { readTextFile } from "../../src/files/text_file.ts";
import { firstLine } from "../config/overrides.ts";
import { SweepError } from "./sweep_error.ts";
import { type SweepFile, sweepSchema } from "./sweep_schema.ts";

/** @throws {SweepError | UserError} */
export function loadSweep(file: string): SweepFile {
  return parseSweep(readTextFile(file), file);
}

/** @param file name for messages. @throws {SweepError} */
export function parseSweep(text: string, file: string): SweepFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  if (document.errors.length > 0) {
    const [problem] = document.errors;
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    throw new SweepError(`${file}:${line}:${col}: invalid YAML: ${firstLine(problem.message)}`);
  }
  const root: unknown = document.toJS() ?? {};
  const parsed = sweepSchema.safeParse(root);
  if (parsed.success) return parsed.data;
  const locate = (path: readonly PropertyKey[]) => {
    const node = document.getIn(path, true);
    return isNode(node) && node.range ? `${file}:${lineCounter.linePos(node.range[0]).line}` : file;
  };
  throw new SweepError(describeProblems(parsed.error, root, { schema: sweepSchema, locate }).join("\n"));
}

/** YAML that parses back to an equal sweep. */
export function formatSweep(sweep: SweepFile): string {
  return stringify(sweep, { lineWidth: 0 });
}
