/** The task files that come with the package and those below `--include_path`, by the names of tasks, groups and tags. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { nearestHint } from "../../errors/nearest_name.ts";
import { UserError } from "../../errors/user_error.ts";
import { packageDirectory } from "../../files/package.ts";
import { parseProbe, probeDataset } from "../../probes/registry.ts";
import type { GroupConfig } from "../schema/task_schema.ts";
import { compileTask, type Task } from "./task.ts";
import { type GroupEntry, readTaskFile, type TaskEntry, TaskFileError } from "./task_file.ts";

/** No task has this name. */
export class UnknownTaskError extends UserError {
  override name = "UnknownTaskError";
}

/** A group that was asked for, or is part of one. */
export interface TaskGroup {
  name: string;
  alias: string;
  version: string;
  config: GroupConfig;
  /** Names of its tasks and groups. */
  children: readonly string[];
}

export interface TaskSelection {
  /** Each once, in the order asked for. */
  tasks: Task[];
  /** Groups among what was asked for, and their parts. */
  groups: TaskGroup[];
}

export class TaskRegistry {
  private readonly entries = new Map<string, TaskEntry | GroupEntry>();
  private readonly tags = new Map<string, string[]>();
  private readonly compiled = new Map<string, Task>();

  /**
   * @param includePaths folders whose `.yaml` files are read too (with those below them), or single files. A name that
   *   a shipped task has means the included one.
   * @throws {TaskFileError}
   */
  constructor(includePaths: readonly string[] = []) {
    this.addFolder(path.join(packageDirectory(), "src/eval/tasks"), true);
    for (const included of includePaths) {
      if (!existsSync(included)) throw new TaskFileError(`no such file or folder: ${included} (--include_path)`);
      if (included.endsWith(".yaml")) this.addFile(path.resolve(included), new Set());
      else this.addFolder(path.resolve(included), false);
    }
    for (const entry of this.entries.values()) {
      if (entry.kind !== "task") continue;
      for (const tag of entry.config.tag ?? []) {
        this.tags.set(tag, [...(this.tags.get(tag) ?? []), entry.config.task]);
      }
    }
  }

  /** Every task, by name; groups and tags apart. */
  list(): { tasks: TaskEntry["config"][]; groups: GroupConfig[]; tags: string[] } {
    const entries = [...this.entries.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    return {
      tasks: entries.flatMap((entry) => (entry.kind === "task" ? [entry.config] : [])),
      groups: entries.flatMap((entry) => (entry.kind === "group" ? [entry.config] : [])),
      tags: [...this.tags.keys()].sort(),
    };
  }

  /** @throws {UnknownTaskError} naming the nearest task, or {TaskFileError} if its file cannot be used. */
  find(name: string): Task {
    const entry = this.entries.get(name);
    if (entry?.kind !== "task") throw this.unknown(name);
    return this.compile(entry);
  }

  /**
   * The tasks of names, groups, tags and patterns (`mmlu_*`).
   * @throws {UnknownTaskError} or {TaskFileError}
   */
  select(names: readonly string[]): TaskSelection {
    const tasks = new Map<string, Task>();
    const groups = new Map<string, TaskGroup>();
    for (const name of names) for (const match of this.matches(name)) this.add(match, tasks, groups, []);
    return { tasks: [...tasks.values()], groups: [...groups.values()] };
  }

  private matches(name: string): string[] {
    if (!name.includes("*")) {
      this.addProbe(name);
      return [name];
    }
    const pattern = new RegExp(`^${name.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
    const found = [...this.entries.keys()].filter((candidate) => pattern.test(candidate));
    if (found.length === 0) throw new UnknownTaskError(`no task matches ${name}`);
    return found;
  }

  /** `probe_addition?digits=5`: the task of a synthetic probe at another difficulty. */
  private addProbe(name: string): void {
    const [base, options] = name.split(/\?(.*)/s);
    const entry = this.entries.get(base);
    if (options === undefined || entry?.kind !== "task" || entry.config.dataset_path !== probeDataset) return;
    const config = { ...entry.config, task: name, dataset_name: `${entry.config.dataset_name}?${options}` };
    // The answer, and the end of its line.
    const tokens = parseProbe(config.dataset_name).longestAnswer() + 1;
    if (config.generation_kwargs) config.generation_kwargs = { ...config.generation_kwargs, max_gen_toks: tokens };
    this.entries.set(name, { ...entry, config });
  }

  /** Adds what `name` stands for; returns the names of its tasks and groups. */
  private add(
    name: string,
    tasks: Map<string, Task>,
    groups: Map<string, TaskGroup>,
    parents: readonly string[],
  ): readonly string[] {
    const entry = this.entries.get(name);
    if (entry === undefined) {
      const tagged = this.tags.get(name);
      if (tagged === undefined) throw this.unknown(name, parents.at(-1));
      return tagged.flatMap((task) => this.add(task, tasks, groups, parents));
    }
    if (entry.kind === "task") {
      if (!tasks.has(name)) tasks.set(name, this.compile(entry));
      return [name];
    }
    if (parents.includes(name)) throw new TaskFileError(`${entry.file}: group ${name} contains itself`);
    const { config } = entry;
    const children = config.task.flatMap((child) => this.add(child, tasks, groups, [...parents, name]));
    const version = String(config.metadata?.version ?? "N/A");
    groups.set(name, { name, alias: config.group_alias ?? name, version, config, children });
    return [name];
  }

  private compile(entry: TaskEntry): Task {
    const { task: name } = entry.config;
    const known = this.compiled.get(name);
    if (known) return known;
    const task = compileTask(entry);
    this.compiled.set(name, task);
    return task;
  }

  private unknown(name: string, group?: string): UnknownTaskError {
    const entries = [...this.entries.values()];
    const hint = nearestHint(name, [...this.entries.keys(), ...this.tags.keys()]);
    const ofGroup = group === undefined ? "" : ` in group ${group}`;
    // The parts of groups are too many to name.
    const parts = new Set(entries.flatMap((entry) => (entry.kind === "group" ? entry.config.task : [])));
    const shown = entries
      .filter((entry) => entry.kind === "group" || !(entry.config.tag ?? []).some((tag) => parts.has(tag)))
      .map(nameOf)
      .filter((candidate) => !parts.has(candidate))
      .sort();
    return new UnknownTaskError(`unknown task "${name}"${ofGroup}${hint} (tasks: ${shown.join(", ")})`);
  }

  private addFolder(folder: string, shipped: boolean): void {
    const own = new Set<string>();
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".yaml"))
      .sort();
    if (files.length === 0) throw new TaskFileError(`${folder}: no .yaml file${shipped ? "" : " (--include_path)"}`);
    for (const file of files) this.addFile(path.join(folder, file), own);
  }

  /** @param own names that the same folder has defined */
  private addFile(file: string, own: Set<string>): void {
    for (const entry of readTaskFile(file)) {
      const name = nameOf(entry);
      if (own.has(name)) throw new TaskFileError(`${file}: ${name} is defined in ${this.entries.get(name)!.file} too`);
      own.add(name);
      this.entries.set(name, entry);
    }
  }
}

const nameOf = (entry: TaskEntry | GroupEntry) => (entry.kind === "task" ? entry.config.task : entry.config.group);

let shipped: TaskRegistry | undefined;

/** The shipped tasks. */
export function shippedTasks(): TaskRegistry {
  shipped ??= new TaskRegistry();
  return shipped;
}

/** A shipped task. @throws {UnknownTaskError} */
export function findTask(name: string): Task {
  return shippedTasks().find(name);
}
