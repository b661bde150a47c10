/** How far another engine's log-probabilities are from those of our engine on the same file. */
import type { Engine } from "../../native/inference/engine.ts";

/** log P(token | window[0 .. position]) for every position and token. */
export async function ourLogProbs(engine: Engine, window: readonly number[]): Promise<Float32Array[]> {
  const session = engine.createSession({ capacity: window.length });
  const rows: Float32Array[] = [];
  for (const id of window) {
    const logits = await session.decode(id);
    const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const logSum = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    rows.push(logits.map((logit) => logit - logSum));
  }
  session.dispose();
  return rows;
}

/** Sums over positions. */
export class LogProbDistance {
  positions = 0;
  /** Positions with the same most likely token. */
  agreed = 0;
  /** Lead of our most likely token over theirs, where they differ, in nats. */
  widestLead = 0;
  /** Largest distance of a token's log-probabilities, in nats. */
  largest = 0;
  #sum = 0;
  #count = 0;

  /** Mean distance over positions and tokens, in nats. */
  get mean(): number {
    return this.#sum / this.#count;
  }

  /** One position: our row over the vocabulary, and what the other engine says of (some of) its tokens. */
  add(ours: Float32Array, theirs: Iterable<readonly [token: number, logProb: number]>): void {
    let best = -1;
    let bestLogProb = Number.NEGATIVE_INFINITY;
    for (const [token, logProb] of theirs) {
      if (logProb > bestLogProb) [best, bestLogProb] = [token, logProb];
      const distance = Math.abs(logProb - ours[token]!);
      this.largest = Math.max(this.largest, distance);
      this.#sum += distance;
      this.#count++;
    }
    const lead = ours.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) - ours[best]!;
    if (lead === 0) this.agreed++;
    this.widestLead = Math.max(this.widestLead, lead);
    this.positions++;
  }

  /** Two lines for people. */
  toString(): string {
    return (
      `log-probabilities: mean distance ${this.mean.toExponential(2)}, largest ${this.largest.toExponential(2)} nats\n` +
      `most likely token: ${this.agreed} of ${this.positions} the same; where not, ours leads by at most ` +
      `${this.widestLead.toFixed(3)} nats`
    );
  }
}
