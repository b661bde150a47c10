/** A task's document: one JSON object of a data set. */
import type { z } from "zod";
import { UserError } from "../errors/user_error.ts";

export type JsonObject = Record<string, unknown>;

/** A document that its task cannot use. The message says why; the reader of the file adds where. */
export class DocumentError extends UserError {
  override name = "DocumentError";
}

/** `document` checked against `schema`. @throws {DocumentError} naming the field. */
export function checkDocument<T>(schema: z.ZodType<T>, document: JsonObject): T {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue.path.join(".");
  throw new DocumentError(field === "" ? issue.message : `field "${field}": ${issue.message}`);
}
