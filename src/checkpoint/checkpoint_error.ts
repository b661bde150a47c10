import { UserError } from "../errors/user_error.ts";

/** A checkpoint that is missing, damaged, or does not fit its configuration. The message is one line for the user. */
export class CheckpointError extends UserError {
  override name = "CheckpointError";
}
