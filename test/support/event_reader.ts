/** Reads TensorBoard's event files from the description of their format alone. */
import { readFileSync } from "node:fs";

/** Fields of a message by number, in order; varints are numbers, everything else bytes. */
export type Message = Map<number, (number | Buffer)[]>;

export function decodeMessage(bytes: Buffer): Message {
  const fields: Message = new Map();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const kind = key % 8;
    const number = (key - kind) / 8;
    const value = () => {
      if (kind === 0) return varint();
      const length = kind === 2 ? varint() : kind === 1 ? 8 : kind === 5 ? 4 : Number.NaN;
      at += length;
      return bytes.subarray(at - length, at);
    };
    fields.set(number, [...(fields.get(number) ?? []), value()]);
  }
  return fields;
}

export interface ReadHistogram {
  min: number;
  max: number;
  limits: number[];
  counts: number[];
}

export interface ReadEvent {
  step: number;
  fileVersion?: string;
  startsSession: boolean;
  scalars: Record<string, number>;
  histograms: Record<string, ReadHistogram>;
  texts: Record<string, string>;
  /** Message of a plugin other than `text`. */
  plugins: Record<string, Buffer>;
}

const bytesOf = (message: Message, field: number) => (message.get(field) ?? []) as Buffer[];

function doubles(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(8 * i));
}

function readEvent(bytes: Buffer): ReadEvent {
  const message = decodeMessage(bytes);
  const event: ReadEvent = {
    step: (message.get(2)?.[0] as number) ?? 0,
    fileVersion: bytesOf(message, 3)[0]?.toString(),
    startsSession: bytesOf(message, 7).some((log) => decodeMessage(log).get(1)?.[0] === 1),
    scalars: {},
    histograms: {},
    texts: {},
    plugins: {},
  };
  for (const value of bytesOf(message, 5)
    .flatMap((summary) => bytesOf(decodeMessage(summary), 1))
    .map(decodeMessage)) {
    const tag = bytesOf(value, 1)[0].toString();
    for (const scalar of bytesOf(value, 2)) event.scalars[tag] = scalar.readFloatLE();
    for (const each of bytesOf(value, 5).map(decodeMessage)) {
      const [[min], [max], limits, counts] = [1, 2, 6, 7].map((field) => doubles(bytesOf(each, field)[0]));
      event.histograms[tag] = { min, max, limits, counts };
    }
    for (const metadata of bytesOf(value, 9).map(decodeMessage)) {
      const plugin = decodeMessage(bytesOf(metadata, 1)[0]);
      const tensor = decodeMessage(bytesOf(value, 8)[0]);
      if (bytesOf(plugin, 1)[0].toString() === "text") event.texts[tag] = bytesOf(tensor, 8)[0].toString();
      else event.plugins[tag] = bytesOf(plugin, 2)[0];
    }
  }
  return event;
}

/** @param checksum of TFRecord files; an event with another one is an error */
export function readEvents(file: string, checksum: (bytes: Uint8Array) => number): ReadEvent[] {
  const bytes = readFileSync(file);
  const events: ReadEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const content = bytes.subarray(at + 12, at + 12 + length);
    const sums = [bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12 + length)];
    if (sums[0] !== checksum(bytes.subarray(at, at + 8)) || sums[1] !== checksum(content)) {
      throw new Error(`${file}: wrong checksum at ${at}`);
    }
    events.push(readEvent(content));
    at += 16 + length;
  }
  return events;
}
