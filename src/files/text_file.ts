/** Texts that a user names. */
import { readFileSync } from "node:fs";
import { systemErrorText } from "../errors/system_error.ts";
import { UserError } from "../errors/user_error.ts";

/** @throws {UserError} that names the file: the system does not always do. */
export function readTextFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${systemErrorText(error)}`);
  }
}
