/**
 * Writes a GGUF file: header, metadata and tensor infos first, then the tensors one by one as they are produced, so
 * only the piece at hand is in memory.
 */
import { writeWholeFile } from "../files/whole_file.ts";
import { ByteWriter } from "./byte_writer.ts";
import { align, GgufError, type GgufMetadata, ggufDefaultAlignment, ggufMagic, ggufVersion } from "./gguf_types.ts";
import { type TensorType, tensorBytes } from "./types/tensor_type.ts";

/** A tensor to write. */
export interface GgufTensorSource {
  name: string;
  type: TensorType;
  /** Row-major: [rows, cols] or [size]. */
  shape: readonly number[];
  /** The packed bytes in order, in pieces of any size. A piece may be reused after the next one is asked for. */
  bytes(): AsyncIterable<Uint8Array>;
}

/** Bytes of the whole file; what a progress bar counts to. */
export function ggufFileBytes(metadata: GgufMetadata, tensors: readonly GgufTensorSource[]): number {
  const header = encodeHeader(metadata, tensors).length;
  return tensors.reduce((sum, t) => sum + align(tensorBytes(t.type, t.shape), ggufDefaultAlignment), header);
}

/**
 * Writes `path` atomically: a reader sees the old file or the whole new one, and an error leaves nothing behind.
 * `onBytes` is called with the size of each piece written.
 * @throws {GgufError} if a tensor cannot be packed in rows of its type, or produces other than its size.
 * @throws {FileWriteError} if the disk is full or the path cannot be written.
 */
export async function writeGguf(
  path: string,
  metadata: GgufMetadata,
  tensors: readonly GgufTensorSource[],
  onBytes?: (bytes: number) => void,
): Promise<void> {
  const header = encodeHeader(metadata, tensors);
  await writeWholeFile(path, async (write) => {
    await write(header);
    onBytes?.(header.length);
    for (const tensor of tensors) {
      const expected = tensorBytes(tensor.type, tensor.shape);
      let size = 0;
      for await (const piece of tensor.bytes()) {
        size += piece.length;
        await write(piece);
        onBytes?.(piece.length);
      }
      if (size !== expected) throw new GgufError(`${tensor.name}: ${size} bytes produced, expected ${expected}`);
      await write(new Uint8Array(align(size, ggufDefaultAlignment) - size));
    }
  });
}

function encodeHeader(metadata: GgufMetadata, tensors: readonly GgufTensorSource[]): Uint8Array {
  const out = new ByteWriter();
  out.u32(ggufMagic);
  out.u32(ggufVersion);
  out.u64(tensors.length);
  out.u64(metadata.size);
  for (const [key, value] of metadata) {
    out.string(key);
    out.value(value);
  }
  let offset = 0;
  for (const { name, type, shape } of tensors) {
    out.string(name);
    out.u32(shape.length);
    for (const size of [...shape].reverse()) out.u64(size);
    out.u32(type.id);
    out.u64(offset);
    offset += align(tensorBytes(type, shape), ggufDefaultAlignment);
  }
  out.zeros(align(out.length, ggufDefaultAlignment) - out.length);
  return out.written();
}
