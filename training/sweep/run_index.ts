/**
 * Where the runs of a sweep lie. A run in the folder whose configuration is the wanted one is taken, whatever it is called:
 * names tell people what a run is, configurations tell us.
 */
import { resolveModelConfig } from "../../src/config/model_config.ts";
import { UserError } from "../../src/errors/user_error.ts";
import { differingKeys } from "../config/differing_keys.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { PlannedRun } from "./plan.ts";
import type { PreparedRun } from "./prepared_data.ts";
import { isSettled, readRunState } from "./run_state.ts";
import type { SweepDirectory } from "./sweep_directory.ts";
import { SweepError } from "./sweep_error.ts";

/** Keys that change nothing in the weights, nor in the metrics that are compared. */
const silentKeys: Record<string, readonly string[]> = {
  data: ["cache_directory"],
  tokenizer: ["path"],
  training: [
    "checkpoint_every",
    "keep_checkpoints",
    "sample_every",
    "sample_prompt",
    "sample_max_tokens",
    "sample_temperature",
    "allow_unpackable",
  ],
};
const silentSections: readonly string[] = ["about", "telemetry"];

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

/** Defaults that the model's other keys imply are written out, and names of quantizers are sections. */
function resolvedModel(config: RunConfig): unknown {
  try {
    return resolveModelConfig(config.model);
  } catch (error) {
    if (error instanceof UserError) return config.model;
    throw error;
  }
}

/** @param dataset key of the data where it is known: then what they are called says nothing */
function configKey(config: RunConfig, dataset: string | undefined): string {
  const { sources, ...data } = config.data;
  const named = dataset === undefined ? [sources].flat() : undefined;
  const all = { ...config, model: resolvedModel(config), data: { ...data, named, dataset } };
  const told = Object.entries(all)
    .filter(([section]) => !silentSections.includes(section))
    .map(([section, keys]) => [
      section,
      Object.fromEntries(Object.entries(keys as object).filter(([key]) => !silentKeys[section]?.includes(key))),
    ]);
  return JSON.stringify(sorted(Object.fromEntries(told)));
}

export class RunIndex {
  private readonly directory: SweepDirectory;
  private readonly prepared: (run: PlannedRun) => PreparedRun;
  /** Folder by the key of its configuration. */
  private readonly found = new Map<string, string>();
  private readonly folders = new Map<PlannedRun, string>();

  /** @param prepared the configuration that the run will have */
  constructor(directory: SweepDirectory, prepared: (run: PlannedRun) => PreparedRun) {
    this.directory = directory;
    this.prepared = prepared;
    for (const folder of directory.runFolders()) {
      const run = directory.run(folder);
      const config = run.readConfig();
      if (config === null) continue;
      const key = configKey(config, run.readData()?.dataset);
      const rival = this.found.get(key);
      const isFinished = (name: string) => isSettled(readRunState(directory.run(name)), config.training.max_steps);
      if (rival === undefined || (!isFinished(rival) && isFinished(folder))) this.found.set(key, folder);
    }
  }

  /**
   * Name of the folder in `runs`; two runs of one configuration have one.
   * @throws {SweepError} if the run's own folder holds another run
   */
  folderOf(run: PlannedRun): string {
    const known = this.folders.get(run);
    if (known !== undefined) return known;
    const { config, dataset } = this.prepared(run);
    const keys = [configKey(config, dataset), configKey(config, undefined)];
    const found = keys.map((key) => this.found.get(key)).find((folder) => folder !== undefined);
    const folder = found ?? run.name;
    if (found === undefined) this.checkFree(run, config);
    this.found.set(keys[0], folder);
    this.folders.set(run, folder);
    return folder;
  }

  private checkFree({ name }: PlannedRun, config: RunConfig): void {
    const directory = this.directory.run(name);
    if (!directory.hasRun()) return;
    const before = directory.readConfig();
    const differences = before === null ? [] : differingKeys(before, config, new Set(silentSections));
    const how = differences.length === 0 ? "other data" : differences.join(", ");
    throw new SweepError(
      `${directory.path} holds another run (${how}): rename it if it is to be kept, or choose another --out`,
    );
  }
}
