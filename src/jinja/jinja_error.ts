/** A template that cannot be parsed, or not be computed. */
import { UserError } from "../errors/user_error.ts";

export class JinjaError extends UserError {
  override name = "JinjaError";
  /** Line of the template, from 1; null if it is not known here. */
  readonly line: number | null;

  constructor(message: string, line: number | null = null) {
    super(message);
    this.line = line;
  }
}

/** What a template itself raises by `raise_exception`: its message stands alone. */
export class RaisedError extends JinjaError {}
