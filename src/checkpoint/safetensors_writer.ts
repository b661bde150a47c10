/** Writer of safetensors files: tensors are asked for one at a time, so only one is in memory. */
import { writeWholeFile } from "../files/whole_file.ts";
import { CheckpointError } from "./checkpoint_error.ts";
import { encodeHeader, type SafetensorsDtype, tensorBytes } from "./safetensors_header.ts";

export interface SafetensorsEntry {
  name: string;
  dtype: SafetensorsDtype;
  shape: readonly number[];
  /** The contents in row-major order, with the bytes that dtype and shape ask for. */
  data: () => ArrayBufferView | Promise<ArrayBufferView>;
}

/**
 * Writes the tensors in the given order; the file is there completely or not at all.
 * @throws {FileWriteError} if the file cannot be written
 * @throws {CheckpointError} if an entry's data has another size than its shape.
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<SafetensorsEntry>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const tensors = [...entries].map((entry) => ({ ...entry, shape: [...entry.shape] }));
  await writeWholeFile(path, async (write) => {
    await write(encodeHeader(tensors, metadata));
    for (const tensor of tensors) {
      const view = await tensor.data();
      if (view.byteLength !== tensorBytes(tensor)) {
        throw new CheckpointError(
          `tensor ${tensor.name} of shape [${tensor.shape}] needs ${tensorBytes(tensor)} bytes, got ${view.byteLength}`,
        );
      }
      await write(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    }
  });
}
