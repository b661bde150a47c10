/** What Python would raise, as a message for people. */
import { UserError } from "../errors/user_error.ts";

export class PythonError extends UserError {
  override name = "PythonError";
}
