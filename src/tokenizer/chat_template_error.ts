/** Apart from the templates, so that reading what a file has does not load what renders it. */
import { UserError } from "../errors/user_error.ts";

/** There is no template, it is not valid, or it refuses the messages. */
export class ChatTemplateError extends UserError {
  override name = "ChatTemplateError";
}
