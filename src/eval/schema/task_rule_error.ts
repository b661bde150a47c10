/** Something that a task file names or combines is not known or cannot be used. The reader of the file adds where. */
export class TaskRuleError extends Error {
  override name = "TaskRuleError";
}
