/** What an export target is: a reader, and what it computes correctly. */
import type { ModelConfig } from "../../src/config/model_config.ts";
import type { ExportType } from "../../src/config/packing_rules.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

export const targetNames = ["bitnet-lab", "llama.cpp", "bitnet.cpp", "transformers"] as const;
export type TargetName = (typeof targetNames)[number];

/** `packed_uint8` is transformers' own packed form, four codes a byte. */
export type LinearType = ExportType | "packed_uint8";

/** A model on its way to a reader. */
export interface ExportRequest {
  config: ModelConfig;
  /** Null if the checkpoint has none. */
  tokenizer: Tokenizer | null;
  linearType: LinearType;
}

export interface ExportTarget {
  /** The type of the linear weights when none is asked for. */
  defaultType(config: ModelConfig): LinearType;
  /**
   * Null if the reader computes what was trained; otherwise one line: the reason, and the config or option that
   * would work.
   */
  refusal(request: ExportRequest): string | null;
  /** What the user should know of how the reader computes, or null. */
  note?(request: ExportRequest): string | null;
}

/** The first rule that is broken, as its message; null if all hold. */
export function firstBroken(rules: readonly (readonly [holds: boolean, message: string])[]): string | null {
  return rules.find(([holds]) => !holds)?.[1] ?? null;
}
