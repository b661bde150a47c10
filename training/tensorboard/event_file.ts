/**
 * An event file, `events.out.tfevents.SECONDS.HOST.PID`: TFRecords of event messages, appended as they come.
 *
 *     uint64 length | masked CRC-32C of it | message | masked CRC-32C of it            little-endian
 *
 * TensorBoard reads all event files of a folder in the order of their names as one run, and a file that says "session
 * start" at a step takes back what earlier files say of that step and later ones. So each start of a run writes a file
 * of its own, and none is ever changed: a TensorBoard that is reading along goes on.
 */
import { appendFileSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { maskedCrc32c } from "./crc32c.ts";
import { type EventContent, encodeEvent, type SummaryValue } from "./summary.ts";

const prefix = "events.out.tfevents.";

/** As TensorFlow writes it; TensorBoard obeys session starts from this version on. */
const fileVersion = "brain.Event:2";

/** Paths of the event files in a run's folder, in TensorBoard's order. */
export function eventFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .sort()
    .map((name) => path.join(folder, name));
}

/** The bytes of one record. */
function tfRecord(message: Uint8Array): Uint8Array {
  const record = new Uint8Array(message.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(message.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(message, 12);
  view.setUint32(12 + message.length, maskedCrc32c(message), true);
  return record;
}

export class EventFile {
  readonly path: string;

  /**
   * Begins a file that sorts after those that are there.
   * @param step what is known of it and of later steps is taken back
   */
  constructor(folder: string, step: number) {
    const [, before = "0"] = /tfevents\.(\d+)/.exec(eventFiles(folder).at(-1) ?? "") ?? [];
    const seconds = Math.max(Math.floor(Date.now() / 1000), Number(before) + 1);
    const host = hostname().replaceAll(/[^\w.-]/g, "_");
    this.path = path.join(folder, `${prefix}${String(seconds).padStart(10, "0")}.${host}.${process.pid}`);
    this.append(0, { fileVersion });
    this.append(step, { sessionStart: true });
  }

  /** Appends one event with these values. */
  add(step: number, values: readonly SummaryValue[]): void {
    if (values.length > 0) this.append(step, { values });
  }

  private append(step: number, content: EventContent): void {
    appendFileSync(this.path, tfRecord(encodeEvent(Date.now() / 1000, step, content)));
  }
}
