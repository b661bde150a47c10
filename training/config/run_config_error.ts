import { UserError } from "../../src/errors/user_error.ts";

/** The configuration cannot be used. The message has one line per problem. */
export class RunConfigError extends UserError {
  override name = "RunConfigError";
}
