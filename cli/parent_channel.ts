/**
 * The channel of a command that another program started with one (`bitnet-sweep` its runs): it hears of every step, and when
 * it closes the channel, or dies, the command ends as after Ctrl-C. So no run trains on that nobody knows of.
 */

/** Set by who starts the command: other programs that start Node with a channel mean something else by it. */
export const channelVariable = "BITNET_CHANNEL";

export interface StepMessage {
  step: number;
  loss: number;
}

const isOpen = () => process.env[channelVariable] === "1" && process.connected;
/** Milliseconds between messages: a display needs no more. */
const pause = 200;
let toldAt = 0;

/** Tells of a step, unless it told of one just now. */
export function tellStep(step: number, loss: number): void {
  const now = performance.now();
  if (!isOpen() || now - toldAt < pause) return;
  toldAt = now;
  process.send!({ step, loss } satisfies StepMessage);
}

/** Calls `onEnd` when the channel closes. @returns undoes it */
export function watchParent(onEnd: () => void): () => void {
  if (!isOpen()) return () => {};
  process.once("disconnect", onEnd);
  // To listen is no reason to stay.
  process.channel?.unref();
  return () => process.off("disconnect", onEnd);
}
