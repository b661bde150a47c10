/** Every task by name. */
import { nearestName } from "../../config/nearest_name.ts";
import type { Task } from "../task.ts";
import { arcChallenge, arcEasy } from "./arc.ts";
import { gsm8k } from "./gsm8k.ts";
import { piqa } from "./piqa.ts";
import { rolling } from "./rolling.ts";
import { toyArc, toyGsm8k, toyPiqa } from "./toy.ts";

export const tasks: readonly Task[] = [arcEasy, arcChallenge, piqa, gsm8k, rolling, toyArc, toyPiqa, toyGsm8k];

/** No task has this name. */
export class UnknownTaskError extends Error {
  override name = "UnknownTaskError";
}

/** @throws {UnknownTaskError} naming the nearest task and listing all. */
export function findTask(name: string): Task {
  const task = tasks.find((candidate) => candidate.name === name);
  if (task) return task;
  const names = tasks.map((candidate) => candidate.name);
  throw new UnknownTaskError(
    `unknown task "${name}"; the nearest is ${nearestName(name, names)} (tasks: ${names.join(", ")})`,
  );
}
