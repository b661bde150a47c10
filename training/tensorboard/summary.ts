/**
 * The messages of TensorBoard's event files, as far as a run writes them: tensorboard/compat/proto/event.proto,
 * summary.proto, tensor.proto, and plugins/hparams/plugin_data.proto. Numbers are those of the fields there.
 */
import { PbfWriter } from "pbf";
import type { Histogram } from "../telemetry/histogram.ts";

/** A value of the configuration. */
export type HyperParameter = number | string | boolean;

export type SummaryValue =
  | { tag: string; scalar: number }
  | { tag: string; histogram: Histogram }
  /** Markdown. */
  | { tag: string; text: string }
  | { tag: string; plugin: string; content: Uint8Array };

export type EventContent = { fileVersion: string } | { sessionStart: true } | { values: readonly SummaryValue[] };

/** Enumerations and types of the messages. */
const sessionStart = 1;
const dataTypes = { float: 1, string: 7 };
const hyperParameterTypes = { string: 1, boolean: 2, number: 3 };

/** @param wallTime seconds since 1970 */
export function encodeEvent(wallTime: number, step: number, content: EventContent): Uint8Array {
  const event = new PbfWriter();
  event.writeDoubleField(1, wallTime);
  event.writeVarintField(2, step);
  if ("fileVersion" in content) event.writeStringField(3, content.fileVersion);
  if ("values" in content) event.writeMessage(5, writeSummary, content.values);
  if ("sessionStart" in content)
    event.writeMessage(7, (status: number, log) => log.writeVarintField(1, status), sessionStart);
  return event.finish();
}

function writeSummary(values: readonly SummaryValue[], summary: PbfWriter): void {
  for (const value of values) summary.writeMessage(1, writeValue, value);
}

function writeValue(value: SummaryValue, writer: PbfWriter): void {
  writer.writeStringField(1, value.tag);
  if ("scalar" in value) writer.writeFloatField(2, value.scalar);
  if ("histogram" in value) writer.writeMessage(5, writeHistogram, value.histogram);
  if ("text" in value) {
    writer.writeMessage(8, writeText, value.text);
    writer.writeMessage(9, writeMetadata, { plugin: "text", content: new Uint8Array() });
  }
  if ("plugin" in value) {
    writer.writeMessage(8, writeNothing, null);
    writer.writeMessage(9, writeMetadata, value);
  }
}

/** A bucket reaches from the limit before it, the first from the minimum, to its own. Sums are those of the bins' middles. */
function writeHistogram({ low, high, counts }: Histogram, writer: PbfWriter): void {
  const width = (high - low) / counts.length;
  const sum = (power: number) =>
    counts.reduce((total, count, bin) => total + count * (low + (bin + 0.5) * width) ** power, 0);
  writer.writeDoubleField(1, low);
  writer.writeDoubleField(2, high);
  writer.writeDoubleField(3, sum(0));
  writer.writeDoubleField(4, sum(1));
  writer.writeDoubleField(5, sum(2));
  writer.writePackedDouble(
    6,
    counts.map((_, bin) => (bin === counts.length - 1 ? high : low + (bin + 1) * width)),
  );
  writer.writePackedDouble(7, counts);
}

/** TensorProto of one string. */
function writeText(text: string, writer: PbfWriter): void {
  writer.writeVarintField(1, dataTypes.string);
  writer.writeMessage(2, writeShape, 1);
  writer.writeBytesField(8, new TextEncoder().encode(text));
}

/** TensorProto of no floats: the message is in the metadata. */
function writeNothing(_: null, writer: PbfWriter): void {
  writer.writeVarintField(1, dataTypes.float);
  writer.writeMessage(2, writeShape, 0);
}

/** TensorShapeProto of one dimension. */
function writeShape(size: number, writer: PbfWriter): void {
  writer.writeMessage(2, (length: number, dimension) => dimension.writeVarintField(1, length), size);
}

function writeMetadata({ plugin, content }: { plugin: string; content: Uint8Array }, writer: PbfWriter): void {
  const writePlugin = (_: null, data: PbfWriter) => {
    data.writeStringField(1, plugin);
    if (content.length > 0) data.writeBytesField(2, content);
  };
  writer.writeMessage(1, writePlugin, null);
}

/** What the HParams page shows of a run: what it was made with, beside the scalars `metrics`. */
export function hyperParameterValues(
  parameters: Readonly<Record<string, HyperParameter>>,
  metrics: readonly string[],
  startSeconds: number,
): SummaryValue[] {
  const experiment = new PbfWriter();
  experiment.writeMessage(2, writeExperiment, { parameters, metrics });
  const start = new PbfWriter();
  start.writeMessage(3, writeSessionStart, { parameters, startSeconds });
  return [
    { tag: "_hparams_/experiment", plugin: "hparams", content: experiment.finish() },
    { tag: "_hparams_/session_start_info", plugin: "hparams", content: start.finish() },
  ];
}

type HyperParameters = Readonly<Record<string, HyperParameter>>;

function writeExperiment(
  { parameters, metrics }: { parameters: HyperParameters; metrics: readonly string[] },
  writer: PbfWriter,
): void {
  for (const [name, value] of Object.entries(parameters)) {
    writer.writeMessage(
      4,
      (_: null, info) => {
        info.writeStringField(1, name);
        info.writeVarintField(4, hyperParameterTypes[typeof value as keyof typeof hyperParameterTypes]);
      },
      null,
    );
  }
  for (const tag of metrics) {
    const writeName = (_: null, name: PbfWriter) => name.writeStringField(2, tag);
    writer.writeMessage(5, (_: null, info) => info.writeMessage(1, writeName, null), null);
  }
}

function writeSessionStart(
  { parameters, startSeconds }: { parameters: HyperParameters; startSeconds: number },
  writer: PbfWriter,
): void {
  for (const entry of Object.entries(parameters)) writer.writeMessage(1, writeParameter, entry);
  writer.writeDoubleField(5, startSeconds);
}

/** An entry of a map: the key and google.protobuf.Value. */
function writeParameter([name, value]: [string, HyperParameter], entry: PbfWriter): void {
  entry.writeStringField(1, name);
  entry.writeMessage(
    2,
    (_: null, writer) => {
      if (typeof value === "number") writer.writeDoubleField(2, value);
      else if (typeof value === "string") writer.writeStringField(3, value);
      else writer.writeBooleanField(4, value);
    },
    null,
  );
}
