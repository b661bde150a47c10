/** Opens what `--model` names, with the flags of the commands that take any model. */

import { OpenOptionError, type OpenOptions, openModel } from "../native/open_model.ts";
import type { LanguageModel } from "../src/language_model/language_model.ts";
import { UsageError } from "./command.ts";
import { engineFlagNames } from "./engine_flags.ts";

/** @throws {UsageError} naming a flag that models of this kind do not have; otherwise as `openModel`. */
export async function modelOfFlags(source: string, options: OpenOptions): Promise<LanguageModel> {
  try {
    return await openModel(source, { onRemark: (line) => console.error(`note: ${line}`), ...options });
  } catch (error) {
    if (!(error instanceof OpenOptionError)) throw error;
    const { option, reason } = error;
    throw new UsageError(
      `--${option === "backend" || option === "quantization" ? option : engineFlagNames[option]} ${reason}`,
    );
  }
}
