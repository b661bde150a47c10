import { UserError } from "../../errors/user_error.ts";

/** What goes wrong between us and a completions server, in one line that begins with its address. */
export class ServerError extends UserError {
  override name = "ServerError";
}
