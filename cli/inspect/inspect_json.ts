/** What `bitnet-inspect --json` prints. */
import type { InspectedModel } from "../../src/inspect/inspected_model.ts";
import type { Evidence } from "../../src/inspect/model_facts.ts";
import type { Verdict } from "../../src/inspect/readers/reader.ts";
import type { TensorStatistics, TypeSummary } from "../../src/inspect/statistics.ts";
import type { ReadingLoss } from "./losses.ts";

export interface Inspection {
  model: InspectedModel;
  summaries: readonly TypeSummary[];
  statistics: ReadonlyMap<string, TensorStatistics | null>;
  evidence: Evidence;
  losses: readonly ReadingLoss[];
  verdicts: readonly Verdict[];
}

/** Longer arrays of the header (vocabularies, merges) are told by their length. */
const longestArray = 1000;

export function inspectionJson({ model, summaries, statistics, evidence, losses, verdicts }: Inspection) {
  const { facts, tensors, keys } = model;
  const { gguf, ...others } = facts;
  return {
    model: model.path,
    ...others,
    // The tensors are told below.
    gguf: gguf && { ...gguf, placed: undefined },
    types: summaries,
    readers: verdicts,
    evidence,
    losses,
    keys: Object.fromEntries(
      [...keys].map(([key, value]) => [
        key,
        Array.isArray(value) && value.length > longestArray ? { length: value.length } : value,
      ]),
    ),
    tensors: tensors.map(({ name, role, type, typeNumber, shape, bytes }) => ({
      name,
      role,
      type,
      type_number: typeNumber,
      shape,
      bytes,
      ...(statistics.has(name) && { statistics: statistics.get(name) }),
    })),
  };
}
