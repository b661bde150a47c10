import { UserError } from "../src/errors/user_error.ts";

/** An export that its reader would not run as the model was trained: one line with the reason and what would work. */
export class ExportRefusedError extends UserError {
  override name = "ExportRefusedError";
}
