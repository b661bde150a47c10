/** What a command says of an error: one line if a user can do something about it, the stack if only we can. */
import { inspect } from "node:util";
import { systemErrorCode, systemErrorText } from "../src/errors/system_error.ts";
import { messageOf, UserError } from "../src/errors/user_error.ts";
import { packageVersion } from "../src/files/package.ts";

/** What the engine under JavaScript says when memory is used up. */
function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && /allocation failed|bad_alloc|out of memory/.test(error.message);
}

/** True for the errors of {@link UserError}, what the system refuses and a want of memory; every other one is a bug. */
export function isForPeople(error: unknown): boolean {
  return error instanceof UserError || systemErrorCode(error) !== undefined || isOutOfMemory(error);
}

/** One line for any error; a system error is put in words with its path. */
export function errorLine(error: unknown): string {
  if (isOutOfMemory(error)) return `not enough memory (${messageOf(error)})`;
  return systemErrorText(error, (error as NodeJS.ErrnoException | undefined)?.path);
}

/** The line of an error for people; what to report, of any other. */
export function errorReport(error: unknown): string {
  if (isForPeople(error)) return errorLine(error);
  const where = `bitnet-lab ${packageVersion()}, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  return `this is a bug of bitnet-lab; please report it with these lines and the command (${where})\n${inspect(error)}`;
}
