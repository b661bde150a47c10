/** A GGUF file as another reading of it would have it written: another graph of BitNet, another order of I2_S. */
import { GgufFile } from "../../src/gguf/gguf_reader.ts";
import type { GgufMetadata, GgufValue } from "../../src/gguf/gguf_types.ts";
import { type GgufTensorSource, writeGguf } from "../../src/gguf/gguf_writer.ts";
import { type I2sOrder, toX86Order } from "../../src/gguf/i2_s_orders.ts";
import { i2_s } from "../../src/gguf/types/i2_s.ts";

/** How the bytes of a file are taken. */
export interface Reading {
  /** The graph: `bitnet` has SiLU, `bitnet-b1.58` relu^2; anything else is left as it is. */
  architecture: string;
  /** What the codes of I2_S are in. */
  order: I2sOrder;
}

/** Rows that are turned together: a multiple of four, which share bytes in one of the orders. */
const rowsTogether = 1024;

/** @throws {GgufError} if the file is not read here, or {FileWriteError}. */
export async function rewriteGguf(file: string, out: string, reading: Reading, signal?: AbortSignal): Promise<void> {
  const gguf = await GgufFile.open(file);
  try {
    await writeGguf(
      out,
      renamed(gguf.metadata, reading.architecture),
      gguf.tensors.map((tensor) => ({ ...tensor, bytes: () => bytesOf(gguf, tensor.name, reading.order, signal) })),
    );
  } finally {
    await gguf.close();
  }
}

/** Keys of the graph under another architecture's name, without what would contradict it. */
function renamed(metadata: GgufMetadata, architecture: string): GgufMetadata {
  const from = `${metadata.get("general.architecture")?.value}.`;
  const entries = new Map<string, GgufValue>();
  for (const [key, value] of metadata) {
    if (key === "general.architecture") entries.set(key, { type: "string", value: architecture });
    else if (key.startsWith("split.") || key === "general.alignment") continue;
    else if (key === "bitnet-lab.hidden_act" && from !== `${architecture}.`) continue;
    else entries.set(key.startsWith(from) ? `${architecture}.${key.slice(from.length)}` : key, value);
  }
  return entries;
}

async function* bytesOf(
  gguf: GgufFile,
  name: string,
  order: I2sOrder,
  signal: AbortSignal | undefined,
): ReturnType<GgufTensorSource["bytes"]> {
  const { type, shape, bytes } = gguf.info(name);
  const isTurned = type.name === i2_s.name && order !== "x86";
  const cols = shape[shape.length - 1];
  const step = isTurned ? (rowsTogether * cols) / 4 : 1 << 22;
  const end = isTurned ? bytes - i2_s.tailBytes : bytes;
  for (let begin = 0; begin < end; begin += step) {
    signal?.throwIfAborted();
    const piece = await gguf.read(name, begin, Math.min(end, begin + step));
    yield isTurned ? toX86Order(piece, cols, order) : piece;
  }
  if (isTurned) yield gguf.read(name, end, bytes);
}
