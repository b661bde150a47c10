import { UserError } from "../../errors/user_error.ts";

/** Something that a task file names or combines is not known or cannot be used. The reader of the file adds where. */
export class TaskRuleError extends UserError {
  override name = "TaskRuleError";
}
