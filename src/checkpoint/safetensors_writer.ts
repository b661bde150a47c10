/** Writer of safetensors files: tensors are asked for one at a time, so only one is in memory. */
import { type FileHandle, open } from "node:fs/promises";
import { systemErrorText } from "../errors/system_error.ts";
import { CheckpointError } from "./checkpoint_error.ts";
import { encodeHeader, type SafetensorsDtype, tensorBytes } from "./safetensors_header.ts";

export interface SafetensorsEntry {
  name: string;
  dtype: SafetensorsDtype;
  shape: readonly number[];
  /** The contents in row-major order, with the bytes that dtype and shape ask for. */
  data: () => ArrayBufferView | Promise<ArrayBufferView>;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(2 ** 30, bytes.length - done));
    done += bytesWritten;
  }
}

/**
 * Writes the tensors in the given order and flushes the file to the device.
 * @throws {CheckpointError} if the file cannot be written or an entry's data has another size than its shape.
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<SafetensorsEntry>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const tensors = [...entries].map((entry) => ({ ...entry, shape: [...entry.shape] }));
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "w");
    await writeAll(handle, encodeHeader(tensors, metadata));
    for (const tensor of tensors) {
      const view = await tensor.data();
      if (view.byteLength !== tensorBytes(tensor)) {
        throw new CheckpointError(
          `tensor ${tensor.name} of shape [${tensor.shape}] needs ${tensorBytes(tensor)} bytes, got ${view.byteLength}`,
        );
      }
      await writeAll(handle, new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    }
    await handle.sync();
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    throw new CheckpointError(`cannot write ${path}: ${systemErrorText(error)}`);
  } finally {
    await handle?.close();
  }
}
