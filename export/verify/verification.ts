/** The outcome of reading an export back. */
import { UserError } from "../../src/errors/user_error.ts";

/** The file does not hold the model of the checkpoint. */
export class VerificationError extends UserError {
  override name = "VerificationError";
}

export interface VerifiedTensors {
  /** Matrices whose ternary codes and scales are those of the checkpoint. */
  ternaryMatrices: number;
  ternaryCodes: number;
  /** Tensors whose floats are those of the checkpoint, rounded to their type. */
  floatTensors: number;
}
