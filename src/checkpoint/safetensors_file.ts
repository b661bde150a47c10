/** Reader of safetensors files: the header at once, tensors one at a time. */
import { systemErrorText } from "../errors/system_error.ts";
import { type ByteSource, openLocalFile, UnexpectedEnd } from "../files/byte_source.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "../quant/float16.ts";
import { CheckpointError } from "./checkpoint_error.ts";
import {
  maxHeaderBytes,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
  type TensorInfo,
} from "./safetensors_header.ts";

async function readHeader(source: ByteSource): Promise<SafetensorsHeader & { dataStart: number }> {
  const { path: file, size } = source;
  if (size < 8) throw new CheckpointError(`${file} is truncated: ${size} bytes hold no safetensors header`);
  const lengthField = await source.read(0, 8);
  const headerBytes = Number(new DataView(lengthField.buffer).getBigUint64(0, true));
  if (headerBytes > maxHeaderBytes) {
    throw new CheckpointError(`${file} is not a safetensors file: its header claims ${headerBytes} bytes`);
  }
  const dataStart = 8 + headerBytes;
  if (dataStart > size) {
    throw new CheckpointError(`${file} is truncated: its header needs ${dataStart} bytes, the file has ${size}`);
  }
  const header = parseHeader(new TextDecoder().decode(await source.read(8, dataStart)), file);
  if (dataStart + header.dataBytes !== size) {
    const state = dataStart + header.dataBytes > size ? "truncated" : "longer than its header says";
    throw new CheckpointError(`${file} is ${state}: it has ${size} bytes, not ${dataStart + header.dataBytes}`);
  }
  return { ...header, dataStart };
}

async function openSource(path: string): Promise<ByteSource> {
  try {
    const source = await openLocalFile(path);
    if (source !== null) return source;
  } catch (error) {
    throw new CheckpointError(`cannot read ${path}: ${systemErrorText(error)}`);
  }
  throw new CheckpointError(`cannot read ${path}: not a file`);
}

export class SafetensorsFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  private readonly source: ByteSource;
  private readonly tensors: ReadonlyMap<string, TensorEntry>;
  private readonly dataStart: number;

  private constructor(source: ByteSource, header: SafetensorsHeader & { dataStart: number }) {
    this.path = source.path;
    this.source = source;
    this.metadata = header.metadata;
    this.tensors = header.tensors;
    this.dataStart = header.dataStart;
  }

  /**
   * @param from a path, or what is read instead, which this object closes
   * @throws {CheckpointError} if the file is missing, truncated or malformed.
   */
  static async open(from: string | ByteSource): Promise<SafetensorsFile> {
    const source = typeof from === "string" ? await openSource(from) : from;
    try {
      return new SafetensorsFile(source, await readHeader(source));
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  get fileBytes(): number {
    return this.source.size;
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

  /** Bytes that the tensor takes. */
  bytesOf(name: string): number {
    const { begin, end } = this.entry(name);
    return end - begin;
  }

  /** The tensor's bytes [first, last) as stored, in a buffer of their own; all of them by default. */
  async readBytes(name: string, first = 0, last?: number): Promise<Uint8Array<ArrayBuffer>> {
    const { begin, end } = this.entry(name);
    try {
      return await this.source.read(
        this.dataStart + begin + first,
        this.dataStart + (last === undefined ? end : begin + last),
      );
    } catch (error) {
      if (!(error instanceof UnexpectedEnd)) throw error;
      throw new CheckpointError(`${this.path} was truncated while it was read (tensor ${name})`);
    }
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
    return this.source.close();
  }

  private entry(name: string): TensorEntry {
    const entry = this.tensors.get(name);
    if (!entry) throw new CheckpointError(`${this.path} has no tensor ${name}`);
    return entry;
  }
}
