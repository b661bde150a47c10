/** A tracker that a module exports: `init`, `log` and `finish`, or an object that has them as its default. */
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, UserError } from "../../src/errors/user_error.ts";
import type { Tracker } from "./tracker.ts";

/** The module is no tracker. */
export class TrackerError extends UserError {
  override name = "TrackerError";
}

/** @throws {TrackerError} */
export async function loadTracker(file: string): Promise<Tracker> {
  if (!existsSync(file)) throw new TrackerError(`tracker ${file}: no such file`);
  let module: Record<string, unknown>;
  try {
    module = await import(pathToFileURL(path.resolve(file)).href);
  } catch (error) {
    throw new TrackerError(`tracker ${file}: ${messageOf(error)}`);
  }
  const tracker = [module, module.default].find(isTracker);
  if (tracker === undefined) {
    throw new TrackerError(`tracker ${file}: it exports no function log, alone or in an object as its default`);
  }
  return {
    name: path.basename(file),
    // Called on their object: a default export may be an instance of a class.
    init: tracker.init && ((run) => tracker.init?.(run)),
    log: (values, at) => tracker.log(values, at),
    finish: tracker.finish && ((end) => tracker.finish?.(end)),
  };
}

function isTracker(value: unknown): value is Tracker {
  return typeof value === "object" && value !== null && typeof (value as Tracker).log === "function";
}
