/** What the live page knows of a run, and how it hears of it: messages from the trainer to the thread of the page. */
import type { MetricPoint } from "../../src/report/run/run_data.ts";

/** Told once. */
export interface LiveFacts {
  name: string;
  maxSteps: number;
  /** Steps made before this process. */
  startStep: number;
  facts: readonly (readonly [name: string, value: string])[];
}

export type LiveMessage =
  | { type: "step"; step: number; loss: number }
  | { type: "row"; row: MetricPoint }
  | { type: "sample"; step: number; text: string }
  | { type: "note"; text: string }
  | { type: "end"; text: string };

/** All that a page needs that is opened now. */
export interface LiveState extends LiveFacts {
  step: number;
  loss: number | null;
  secondsLeft: number | null;
  rows: MetricPoint[];
  samples: { step: number; text: string }[];
  notes: string[];
  /** How the run ended; null while it goes on. */
  end: string | null;
}

/** Kept of samples and notes: the newest. */
const most = 50;

/** The state of a run as it is told, with the time that is left at the speed since the first step of this process. */
export class LiveRun {
  readonly state: LiveState;
  private first: { step: number; time: number } | undefined;

  constructor(facts: LiveFacts, rows: readonly MetricPoint[]) {
    const { startStep: step } = facts;
    this.state = { ...facts, step, loss: null, secondsLeft: null, rows: [...rows], samples: [], notes: [], end: null };
  }

  /** @param now milliseconds */
  hear(message: LiveMessage, now: number): void {
    const { state } = this;
    if (message.type === "step") {
      this.first ??= { step: message.step, time: now };
      const made = message.step - this.first.step;
      state.step = message.step;
      state.loss = message.loss;
      const left = state.maxSteps - message.step;
      state.secondsLeft = made > 0 ? ((now - this.first.time) / 1000 / made) * left : null;
    } else if (message.type === "row") state.rows.push(message.row);
    else if (message.type === "sample") keep(state.samples, { step: message.step, text: message.text });
    else if (message.type === "note") keep(state.notes, message.text);
    else state.end = message.text;
  }
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > most) list.shift();
}
