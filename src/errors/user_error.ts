/** The errors that are meant for people. Whatever else reaches a command's end is a bug of ours. */

/**
 * Base of every error that a user can cause or mend: a missing file, a wrong value, data that do not fit, a machine that
 * refuses. Its message is one line that says what is wrong and where. Commands print it alone; an error of any other class
 * they print with its stack, as a bug to be reported.
 */
export class UserError extends Error {
  override name = "UserError";
  /** Of the command that it ends. */
  readonly exitCode: number = 1;
}

/** Message of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").join("; ") || (error instanceof Error ? error.name : "");
}
