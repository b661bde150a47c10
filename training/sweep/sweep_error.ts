import { UserError } from "../../src/errors/user_error.ts";

/** A sweep's file or folder cannot be used. The message has one line per problem. */
export class SweepError extends UserError {
  override name = "SweepError";
}
