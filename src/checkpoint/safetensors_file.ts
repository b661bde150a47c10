/** Reader of safetensors files: the header at once, tensors one at a time. */
import { type FileHandle, open } from "node:fs/promises";
import { systemErrorText } from "../errors/system_error.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "../quant/float16.ts";
import { CheckpointError } from "./checkpoint_error.ts";
import {
  maxHeaderBytes,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
  type TensorInfo,
} from "./safetensors_header.ts";

/** Largest single read: Node's limit is 2^31 - 1 bytes. */
const readBytesAtOnce = 2 ** 30;

/** Fills `target` from `position`. Returns false if the file ends before. */
async function readExactly(handle: FileHandle, target: Uint8Array, position: number): Promise<boolean> {
  for (let done = 0; done < target.length; ) {
    const length = Math.min(readBytesAtOnce, target.length - done);
    const { bytesRead } = await handle.read(target, done, length, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

async function readHeader(handle: FileHandle, file: string): Promise<SafetensorsHeader & { dataStart: number }> {
  const { size } = await handle.stat();
  const lengthField = new Uint8Array(8);
  if (!(await readExactly(handle, lengthField, 0))) {
    throw new CheckpointError(`${file} is truncated: ${size} bytes hold no safetensors header`);
  }
  const headerBytes = Number(new DataView(lengthField.buffer).getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes) {
    throw new CheckpointError(`${file} is not a safetensors file: its header claims ${headerBytes} bytes`);
  }
  const dataStart = 8 + headerBytes;
  if (dataStart > size) {
    throw new CheckpointError(`${file} is truncated: its header needs ${dataStart} bytes, the file has ${size}`);
  }
  const text = new Uint8Array(headerBytes);
  await readExactly(handle, text, 8);
  const header = parseHeader(new TextDecoder().decode(text), file);
  if (dataStart + header.dataBytes !== size) {
    const state = dataStart + header.dataBytes > size ? "truncated" : "longer than its header says";
    throw new CheckpointError(`${file} is ${state}: it has ${size} bytes, not ${dataStart + header.dataBytes}`);
  }
  return { ...header, dataStart };
}

export class SafetensorsFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  private readonly handle: FileHandle;
  private readonly tensors: ReadonlyMap<string, TensorEntry>;
  private readonly dataStart: number;

  private constructor(path: string, handle: FileHandle, header: SafetensorsHeader & { dataStart: number }) {
    this.path = path;
    this.handle = handle;
    this.metadata = header.metadata;
    this.tensors = header.tensors;
    this.dataStart = header.dataStart;
  }

  /** @throws {CheckpointError} if the file is missing, truncated or malformed. */
  static async open(path: string): Promise<SafetensorsFile> {
    let handle: FileHandle;
    try {
      handle = await open(path, "r");
    } catch (error) {
      throw new CheckpointError(`cannot read ${path}: ${systemErrorText(error)}`);
    }
    try {
      return new SafetensorsFile(path, handle, await readHeader(handle, path));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Names in file order of the header. */
  names(): string[] {
    return [...this.tensors.keys()];
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** @throws {CheckpointError} if there is no such tensor. */
  info(name: string): TensorInfo {
    const { dtype, shape } = this.entry(name);
    return { dtype, shape };
  }

  /** The tensor's bytes as stored, in a buffer of their own. */
  async readBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { begin, end } = this.entry(name);
    const bytes = new Uint8Array(end - begin);
    if (!(await readExactly(this.handle, bytes, this.dataStart + begin))) {
      throw new CheckpointError(`${this.path} was truncated while it was read (tensor ${name})`);
    }
    return bytes;
  }

  /** Values of an F32, F16 or BF16 tensor; the conversion is exact. */
  async readFloat32(name: string): Promise<Float32Array> {
    const { dtype } = this.entry(name);
    const { buffer } = await this.readBytes(name);
    switch (dtype) {
      case "F32":
        return new Float32Array(buffer);
      case "F16":
        return Float32Array.from(new Uint16Array(buffer), float16ToFloat32);
      case "BF16":
        return Float32Array.from(new Uint16Array(buffer), bfloat16ToFloat32);
      default:
        throw new CheckpointError(`${this.path}: tensor ${name} has type ${dtype}, expected F32, F16 or BF16`);
    }
  }

  /** The file is not readable afterwards. */
  close(): Promise<void> {
    return this.handle.close();
  }

  private entry(name: string): TensorEntry {
    const entry = this.tensors.get(name);
    if (!entry) throw new CheckpointError(`${this.path} has no tensor ${name}`);
    return entry;
  }
}
