/**
 * The last step of an export: the log-probabilities of the training forward and of the file's reader, on the same
 * sequences. The file must be, bit for bit, the model of the plan; where the plan changes the trained model, the change
 * is measured. Who computes is the caller's choice: it gives the scorers.
 */
import type { ExportPlan } from "../targets/target.ts";
import { comparisonSequences, type Difference, differenceOf, meanLoss, requireSameBits } from "./comparison.ts";

/** Log-probabilities of each sequence's ids after the first. */
export type Scorer = (sequences: readonly Int32Array[]) => Promise<Float32Array[]>;

export interface Scorers {
  /** The training forward on the trained model. */
  trained: Scorer;
  /** The training forward on the model that the file is (see `exportedModel`); asked if that is another one. */
  exported: Scorer;
  /** What else runs the source of the export, to tell whether it was read rightly: the engine, if it is a GGUF file. */
  source?: Scorer;
  /** What reads the file. Null: nothing here does, and nothing is compared. */
  reader: Scorer | null;
}

export interface Comparison {
  /** Log-probabilities found equal to the bit. */
  identical: number;
  /** Mean losses in nats per token, where the plan changes the model. */
  losses: { trained: number; exported: number } | null;
  /** Between the training forward on the trained model, and `Scorers.source`. */
  source?: Difference;
}

/**
 * @param text of at least two tokens, which the sequences are cut from
 * @throws {VerificationError} if the reader computes something else than the model of the plan.
 */
export async function compareExport(plan: ExportPlan, scorers: Scorers, text: string): Promise<Comparison> {
  const sequences = comparisonSequences(plan.config, plan.tokenizer, text);
  const changed = plan.changes.length > 0;
  // Of an unchanged model there is but one forward pass; without a reader it has nobody to agree with.
  if (!changed && scorers.reader === null && scorers.source === undefined) return { identical: 0, losses: null };
  const trained = await scorers.trained(sequences);
  const source = scorers.source && differenceOf(trained, await scorers.source(sequences));
  const exported = changed ? await scorers.exported(sequences) : trained;
  const identical = scorers.reader === null ? 0 : requireSameBits(exported, await scorers.reader(sequences));
  const losses = changed ? { trained: meanLoss(trained), exported: meanLoss(exported) } : null;
  return { identical, losses, source };
}
