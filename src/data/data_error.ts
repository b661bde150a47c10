import { UserError } from "../errors/user_error.ts";

/** Something is wrong with the data that the user pointed at: one line that says what and where. */
export class DataError extends UserError {
  override name = "DataError";
}
