/** The error of everything that writes files. */
import path from "node:path";
import { systemErrorCode, systemErrorText } from "../errors/system_error.ts";
import { UserError } from "../errors/user_error.ts";

/** A file or folder that could not be written; nothing of it is left. The system's error is the cause. */
export class FileWriteError extends UserError {
  override name = "FileWriteError";
}

/** `error` as a {@link FileWriteError} about `target` if the system refused; every other error as it is. */
export function writeError(target: string, error: unknown): unknown {
  const refusal = error instanceof FileWriteError ? error.cause : error;
  const code = systemErrorCode(refusal);
  if (code === undefined) return error;
  // The name that was asked for is temporary; what is absent is the folder.
  const reason = systemErrorText(refusal, code === "ENOENT" ? path.dirname(target) : undefined);
  return new FileWriteError(`cannot write ${target}: ${reason}`, { cause: refusal });
}
