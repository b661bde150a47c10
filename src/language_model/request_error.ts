import { UserError } from "../errors/user_error.ts";

/**
 * A request that the model cannot serve: ids outside the vocabulary, nothing to score, more positions than the context has,
 * options that mean nothing.
 */
export class RequestError extends UserError {
  override name = "RequestError";
}
