/** The calls of one tracker: one after the other, beside the training, until it fails. */
import { messageOf } from "../../src/errors/user_error.ts";
import { telemetryEntries } from "../telemetry/telemetry_row.ts";
import type { TrainerListener, TrainingEnd } from "../trainer.ts";
import type { TrackedRun, TrackedValues, Tracker } from "./tracker.ts";

/** Seconds that a run waits at its end for what a tracker has still to do. */
const patience = 30;

export class TrackerCalls implements TrainerListener {
  private readonly tracker: Tracker;
  private readonly onRemark: (line: string) => void;
  private readonly patience: number;
  private calls: Promise<void>;
  private hasFailed = false;

  /** @param seconds to wait for at the end */
  constructor(tracker: Tracker, run: TrackedRun, onRemark: (line: string) => void, seconds = patience) {
    this.tracker = tracker;
    this.onRemark = onRemark;
    this.patience = seconds;
    this.calls = Promise.resolve();
    this.call(() => tracker.init?.(run));
  }

  onMetrics: NonNullable<TrainerListener["onMetrics"]> = ({ step, ...row }) => {
    const numbers = Object.entries(row).filter((entry): entry is [string, number] => typeof entry[1] === "number");
    this.log(step, Object.fromEntries(numbers));
  };

  onTelemetry: NonNullable<TrainerListener["onTelemetry"]> = (step, rows) => {
    this.log(step, Object.fromEntries(rows.flatMap((row) => telemetryEntries(row))));
  };

  onSample: NonNullable<TrainerListener["onSample"]> = (step, sample) => this.log(step, { sample });

  /** Waits until the tracker has done everything, or no longer. */
  async finish(state: TrainingEnd | "failed"): Promise<void> {
    this.call(() => this.tracker.finish?.({ state }));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), 1000 * this.patience);
    });
    const end = await Promise.race([this.calls, late]);
    clearTimeout(timer);
    if (end === "late") this.fail(`is not done ${this.patience} s after the end`);
  }

  private log(step: number, values: TrackedValues): void {
    this.call(() => this.tracker.log(values, { step }));
  }

  private call(body: () => unknown): void {
    this.calls = this.calls.then(async () => {
      if (this.hasFailed) return;
      try {
        await body();
      } catch (error) {
        this.fail(messageOf(error));
      }
    });
  }

  private fail(what: string): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.onRemark(`${this.tracker.name ?? "tracker"}: ${what}; the run goes on without it`);
  }
}
