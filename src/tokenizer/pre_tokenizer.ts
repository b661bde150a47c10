/**
 * Byte-level pre-tokenizers: text -> pieces within which BPE merges. Covers `ByteLevel`, alone or after `Split`
 * (Isolated) and `Digits` steps in a `Sequence`: GPT-2, LLaMA-3, Qwen2 (without its normalizer), SmolLM and relatives.
 */
import { compileSplitPattern, gpt2Pattern, splitIsolated } from "./split_pattern.ts";
import type { PreTokenizerJson } from "./tokenizer_json.ts";

export type PreTokenizer = (text: string) => string[];

/** One step over the pieces made so far. */
type Step = (piece: string) => string[];

function splitStep(pattern: string): Step | null {
  const expression = compileSplitPattern(pattern);
  return expression && ((piece) => splitIsolated(piece, expression));
}

function escapeLiteral(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Steps of one `pre_tokenizer` entry; null if a part of it is not covered. */
function compileSteps(json: PreTokenizerJson): Step[] | null {
  switch (json.type) {
    case "Sequence": {
      const steps = (json.pretokenizers ?? []).map(compileSteps);
      return steps.every((step) => step !== null) ? steps.flat() : null;
    }
    case "Split": {
      if (json.behavior !== "Isolated" || json.invert) return null;
      const pattern = json.pattern?.Regex ?? (json.pattern?.String && escapeLiteral(json.pattern.String));
      const step = pattern ? splitStep(pattern) : null;
      return step && [step];
    }
    case "Digits": {
      const expression = json.individual_digits ? /\p{N}/gu : /\p{N}+/gu;
      return [(piece) => splitIsolated(piece, expression)];
    }
    case "ByteLevel": {
      const steps: Step[] = [];
      if (json.add_prefix_space ?? true) steps.push((piece) => [piece.startsWith(" ") ? piece : ` ${piece}`]);
      const split = (json.use_regex ?? true) ? splitStep(gpt2Pattern) : null;
      if (split) steps.push(split);
      return steps;
    }
    default:
      return null;
  }
}

/** True if exactly the last entry, through nested sequences, is `ByteLevel`. */
function endsInByteLevel(json: PreTokenizerJson): boolean {
  if (json.type !== "Sequence") return json.type === "ByteLevel";
  const entries = json.pretokenizers ?? [];
  return (
    entries.length > 0 && endsInByteLevel(entries[entries.length - 1]) && !entries.slice(0, -1).some(endsInByteLevel)
  );
}

/** Compiles `json`; null if it is not byte-level or uses a step that is not covered here. */
export function compilePreTokenizer(json: PreTokenizerJson | null | undefined): PreTokenizer | null {
  if (!json || !endsInByteLevel(json)) return null;
  const steps = compileSteps(json);
  if (!steps) return null;
  return (text) => {
    let pieces = [text];
    for (const step of steps) pieces = pieces.length === 1 ? step(pieces[0]) : pieces.flatMap(step);
    return pieces;
  };
}
