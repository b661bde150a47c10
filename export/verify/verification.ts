/** The outcome of reading an export back. */
import { UserError } from "../../src/errors/user_error.ts";

/** The file does not hold the model of the checkpoint. */
export class VerificationError extends UserError {
  override name = "VerificationError";
}
