/** Opens what `--model` names, with the flags of the commands that take any model. */

import { type EngineSettings, OpenOptionError, type OpenOptions, openModel } from "../native/open_model.ts";
import type { LanguageModel } from "../src/language_model/language_model.ts";
import { UsageError } from "./command.ts";
import { engineFlagNames } from "./engine_flags.ts";
import { sayAside } from "./terminal/say.ts";
import { tokenizerPath } from "./tokenizer_flag.ts";

/** @throws {UsageError} naming a flag that models of this kind do not have; otherwise as `openModel`. */
export async function modelOfFlags(source: string, options: OpenOptions): Promise<LanguageModel> {
  try {
    const tokenizer = await tokenizerPath(options.tokenizer);
    return await openModel(source, { onRemark: (line) => sayAside(`note: ${line}`), ...options, tokenizer });
  } catch (error) {
    if (!(error instanceof OpenOptionError)) throw error;
    const { option, reason } = error;
    const flag = Object.hasOwn(engineFlagNames, option) ? engineFlagNames[option as keyof EngineSettings] : option;
    throw new UsageError(`--${flag} ${reason}`);
  }
}
