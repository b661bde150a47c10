/**
 * Where the data of a run are when it goes on: from another folder, with the run or the data moved. `data.json` of the run
 * has what they are (their content) and where they were; whether what is found is the same is seen by its content.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { isGlob } from "../src/data/glob.ts";
import type { RunConfig } from "./config/run_config.ts";
import { isGenerated, RunDataError } from "./run_data.ts";

interface RecordedSource {
  /** As the configuration has it. */
  source: string;
  /** Absolute; null for what is no file, folder or pattern of this machine. */
  path: string | null;
  /** The same from the folder of the run: data that were moved together with it. */
  fromRun: string | null;
}

/** Contents of data.json. */
export interface RunData {
  /** Names content, tokenizer and settings of the tokenized data set. */
  dataset: string;
  sources: RecordedSource[];
}

function listOf({ data: { sources } }: RunConfig): string[] {
  return typeof sources === "string" ? [sources] : sources;
}

/** A file or folder that is there; of a pattern, the folder that it begins with. */
function isThere(source: string): boolean {
  if (existsSync(source)) return true;
  if (!isGlob(source)) return false;
  const fixed = source.split(/[*?{[]/)[0];
  return fixed.includes("/") && existsSync(path.dirname(`${fixed}x`));
}

/** What to write down of the sources of a run in the folder `run`, as seen from the folder of this process. */
export function recordSources(config: RunConfig, dataset: string, run: string): RunData {
  const sources = listOf(config).map((source): RecordedSource => {
    const absolute = path.resolve(source);
    const isLocal = !isGenerated(source) && (existsSync(source) || isGlob(source)) && isThere(absolute);
    return {
      source,
      path: isLocal ? absolute : null,
      fromRun: isLocal ? path.relative(path.resolve(run), absolute) : null,
    };
  });
  return { dataset, sources };
}

/**
 * `config` with its sources where they are found now: where they were, or as far from the run as they were.
 * @throws {RunDataError} if one is found nowhere.
 * @param isGiven the sources were named for this start: these names count first
 */
export function locateSources(config: RunConfig, recorded: RunData | null, run: string, isGiven: boolean): RunConfig {
  if (recorded === null) return config;
  const before = listOf(config);
  const sources = before.map((source) => {
    const known = recorded.sources.find((each) => each.source === source);
    if (known === undefined || known.path === null || known.fromRun === null) return source;
    const earlier = [known.path, path.resolve(run, known.fromRun)];
    const places = isGiven ? [source, ...earlier] : [...earlier, source];
    const found = places.find(isThere);
    if (found === undefined) {
      const where = known.path === path.resolve(source) ? "" : `, which was ${known.path},`;
      throw new RunDataError(`${source}: the text of the run${where} is not there: say where it is now with --data`);
    }
    // The name stays what it was, where it means the same file.
    return path.resolve(source) === found ? source : found;
  });
  return sources.every((source, i) => source === before[i]) ? config : { ...config, data: { ...config.data, sources } };
}
