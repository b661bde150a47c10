/**
 * Slots of a session and the contexts that they hold: a new sequence goes to the free slot whose old one begins most like
 * it, and what both have in common (the same examples in front of every problem) is not run again.
 */
import type { Slots } from "../../src/language_model/generate_texts.ts";
import type { Session } from "./session.ts";

export class SlotContexts implements Slots {
  private readonly session: Session;
  private readonly contexts: (readonly number[])[];
  private readonly freeSlots: number[];

  constructor(session: Session) {
    this.session = session;
    this.contexts = Array.from({ length: session.slots }, () => []);
    this.freeSlots = Array.from({ length: session.slots }, (_, slot) => slot);
  }

  /** Number of slots without a sequence. */
  get free(): number {
    return this.freeSlots.length;
  }

  /** Takes a free slot for a sequence; `ids` is what has to be appended to it, at least one id. */
  async take(context: readonly number[]): Promise<{ slot: number; ids: readonly number[] }> {
    let best = 0;
    let shared = -1;
    this.freeSlots.forEach((slot, i) => {
      const length = commonLength(this.contexts[slot], context);
      if (length > shared) [best, shared] = [i, length];
    });
    const [slot] = this.freeSlots.splice(best, 1);
    // The last id is run again: its logits are needed. A sequence that was aborted in its prompt is shorter than that.
    const kept = Math.min(shared, context.length - 1, this.session.length(slot));
    await this.session.truncate(kept, slot);
    this.contexts[slot] = context;
    return { slot, ids: context.slice(kept) };
  }

  /** The sequence of the slot has ended; its context, and what was drawn after it, stay until it is taken again. */
  release(slot: number, drawn: readonly number[] = []): void {
    if (drawn.length > 0) this.contexts[slot] = [...this.contexts[slot], ...drawn];
    this.freeSlots.push(slot);
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}
