/** The flags that say how the native engine runs a GGUF file, the same in every command that takes one. */
import type { InferredOptionTypes } from "yargs";
import { headPrecisions, kvTypes } from "../native/inference/native_engine.ts";
import type { EngineSettings } from "../native/open_model.ts";

export const engineFlags = {
  "kv-type": {
    choices: kvTypes,
    describe: "Keys and values in memory; f16 and q8 take a half and a quarter, and change the result [default: f32]",
  },
  "head-precision": {
    choices: headPrecisions,
    describe:
      "int8: a faster head for files with a Q8_0 embedding, and a slightly different result [default: canonical]",
  },
  mlock: { type: "boolean", describe: "Keep the weights in memory, never swapped or dropped" },
} as const;

/** The flag that sets an option of the engine. */
export const engineFlagNames: Record<keyof EngineSettings, keyof typeof engineFlags> = {
  kvType: "kv-type",
  headPrecision: "head-precision",
  lockMemory: "mlock",
};

/** Only what was given. */
export function engineOptions(flags: InferredOptionTypes<typeof engineFlags>): EngineSettings {
  const { "kv-type": kvType, "head-precision": headPrecision, mlock: lockMemory } = flags;
  return { ...(kvType && { kvType }), ...(headPrecision && { headPrecision }), ...(lockMemory && { lockMemory }) };
}
