/** Scores of groups from those of their tasks (`api/group.py`): means, by default weighted by the number of documents. */

import type { Score } from "./aggregate.ts";
import type { TaskResult } from "./evaluator.ts";
import type { TaskGroup } from "./task/task_registry.ts";

export interface GroupResult {
  group: TaskGroup;
  scores: Score[];
  /** Of guessing, averaged as the first of the scores is; null if a task has none. */
  chance: number | null;
  /** Names of its tasks and groups, and of theirs. */
  members: ReadonlySet<string>;
  /** Documents of its tasks together. */
  documents: number;
  /** Of the tasks that stand in the group itself; null where they differ or there is none, as lm-evaluation-harness has it. */
  numFewshot: number | null;
  /** A task stands in the group itself: its table and file then say which scores are better. */
  hasTasks: boolean;
  /** Of every metric of the tasks in the group itself, averaged or not; null where they disagree. */
  higherIsBetter: Record<string, boolean | null>;
}

interface Part {
  score: Score;
  size: number;
}

/** Sum of sizes times values over the sum of sizes. */
function weightedMean(parts: readonly { value: number; size: number }[], weighted: boolean): number {
  const weight = ({ size }: { size: number }) => (weighted ? size : 1);
  const total = parts.reduce((sum, part) => sum + weight(part), 0);
  return parts.reduce((sum, part) => sum + part.value * weight(part), 0) / total;
}

/**
 * Pooled: sqrt(sum((n - 1) n se^2) / (sum(n) - k) / sum(n)); unweighted: sqrt(sum(se^2)) / k. Null if one of the k parts
 * has no standard error.
 */
function standardError(parts: readonly Part[], weighted: boolean): number | null {
  let [squares, total] = [0, 0];
  for (const { score, size } of parts) {
    if (score.standardError === null) return null;
    squares += weighted ? (size - 1) * score.standardError ** 2 * size : score.standardError ** 2;
    total += size;
  }
  return weighted ? Math.sqrt(squares / (total - parts.length) / total) : Math.sqrt(squares) / parts.length;
}

function directionsOf(tasks: readonly TaskResult[]): Record<string, boolean | null> {
  const directions: Record<string, boolean | null> = {};
  for (const { metric, higherIsBetter } of tasks.flatMap(({ scores }) => scores)) {
    const agrees = !(metric in directions) || directions[metric] === higherIsBetter;
    directions[metric] = agrees ? higherIsBetter : null;
  }
  return directions;
}

/** What stands in the groups, by name. */
class GroupTree {
  private readonly groups: ReadonlyMap<string, TaskGroup>;
  private readonly results: ReadonlyMap<string, TaskResult>;

  constructor(groups: readonly TaskGroup[], results: readonly TaskResult[]) {
    this.groups = new Map(groups.map((group) => [group.name, group]));
    this.results = new Map(results.map((result) => [result.task.name, result]));
  }

  /** Results of the tasks that stand in the group itself. */
  ownTasks(group: TaskGroup): TaskResult[] {
    return group.children.flatMap((child) => this.results.get(child) ?? []);
  }

  /** Results of all tasks below the group. */
  tasks(group: TaskGroup): TaskResult[] {
    return group.children.flatMap((child) => {
      const inner = this.groups.get(child);
      return inner ? this.tasks(inner) : (this.results.get(child) ?? []);
    });
  }

  /** Names of all tasks and groups below the group. */
  members(group: TaskGroup): string[] {
    return group.children.flatMap((child) => {
      const inner = this.groups.get(child);
      return inner ? [child, ...this.members(inner)] : [child];
    });
  }
}

type MetricRule = NonNullable<TaskGroup["config"]["aggregate_metric_list"]>[number];

/** Filters under which a task has the metric, in alphabetical order. */
function filtersOf(metric: string, tasks: readonly TaskResult[]): string[] {
  const scores = tasks.flatMap((task) => task.scores.filter((score) => score.metric === metric));
  return [...new Set(scores.map(({ filter }) => filter))].sort();
}

/** Null if no task has the metric under that filter. */
function scoreOf({ metric, weight_by_size }: MetricRule, filter: string, tasks: readonly TaskResult[]): Score | null {
  const parts = tasks.flatMap(({ scores, documents }): Part[] => {
    const score = scores.find((candidate) => candidate.metric === metric && candidate.filter === filter);
    return score ? [{ score, size: documents.effective }] : [];
  });
  if (parts.length === 0) return null;
  const weighted = weight_by_size ?? true;
  return {
    metric,
    filter,
    value: weightedMean(
      parts.map(({ score: { value }, size }) => ({ value, size })),
      weighted,
    ),
    standardError: standardError(parts, weighted),
    higherIsBetter: parts[0].score.higherIsBetter,
  };
}

function chanceOf(group: TaskGroup, tasks: readonly TaskResult[]): number | null {
  const chances = tasks.flatMap(({ chance, documents }) =>
    chance === null ? [] : [{ value: chance, size: documents.effective }],
  );
  if (chances.length < Math.max(1, tasks.length)) return null;
  return weightedMean(chances, group.config.aggregate_metric_list?.[0].weight_by_size ?? true);
}

/** Results of the groups, in their order. `results` must hold all their tasks. */
export function scoreGroups(groups: readonly TaskGroup[], results: readonly TaskResult[]): GroupResult[] {
  const tree = new GroupTree(groups, results);
  return groups.map((group) => {
    const tasks = tree.tasks(group);
    const own = tree.ownTasks(group);
    const shots = new Set(own.map(({ numFewshot }) => numFewshot));
    const rules = group.config.aggregate_metric_list ?? [];
    return {
      group,
      scores: rules.flatMap((rule) =>
        (rule.filter_list ?? filtersOf(rule.metric, tasks)).flatMap((filter) => scoreOf(rule, filter, tasks) ?? []),
      ),
      chance: chanceOf(group, tasks),
      members: new Set(tree.members(group)),
      documents: tasks.reduce((sum, { documents }) => sum + documents.effective, 0),
      numFewshot: shots.size === 1 ? [...shots][0] : null,
      hasTasks: own.length > 0,
      higherIsBetter: directionsOf(own),
    };
  });
}

/** A task, or a group in the place of its tasks. */
export interface ScoredEntry {
  name: string;
  scores: readonly Score[];
  chance: number | null;
}

/** What a summary shows: groups that have a score instead of what is in them, and the other tasks. */
export function summaryEntries(results: readonly TaskResult[], groups: readonly GroupResult[]): ScoredEntry[] {
  const scored = groups.filter(({ scores }) => scores.length > 0);
  const outer = scored.filter(({ group }) => !scored.some(({ members }) => members.has(group.name)));
  const entries = new Map<string, ScoredEntry>();
  for (const { task, scores, chance } of results) {
    const within = outer.filter(({ members }) => members.has(task.name));
    if (within.length === 0) entries.set(task.name, { name: task.name, scores, chance });
    for (const { group, ...result } of within) {
      entries.set(group.name, { name: group.name, scores: result.scores, chance: result.chance });
    }
  }
  return [...entries.values()];
}
