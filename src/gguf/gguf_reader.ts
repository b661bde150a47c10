/** Reads a GGUF file: metadata and tensor infos at once, the bytes of a tensor on demand. */
import { type FileHandle, open } from "node:fs/promises";
import { systemErrorText } from "../errors/system_error.ts";
import {
  type GgufHeader,
  type GgufTensorInfo,
  HeaderIncomplete,
  parseGgufHeader,
  parseGgufMetadata,
} from "./gguf_header.ts";
import { GgufError, type GgufMetadata } from "./gguf_types.ts";

/** Bytes of the file that the header is looked for in at first; doubled until it is whole. */
const firstHeaderBytes = 1 << 20;

export class GgufFile {
  readonly path: string;
  readonly metadata: GgufMetadata;
  /** In file order. */
  readonly tensors: readonly GgufTensorInfo[];
  private readonly byName: ReadonlyMap<string, GgufTensorInfo>;
  private readonly handle: FileHandle;

  private constructor(path: string, handle: FileHandle, header: GgufHeader) {
    this.path = path;
    this.handle = handle;
    this.metadata = header.metadata;
    this.tensors = header.tensors;
    this.byName = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  }

  /** @throws {GgufError} if the file is missing, malformed or truncated; the message starts with the path. */
  static async open(path: string): Promise<GgufFile> {
    const handle = await openFile(path);
    try {
      return new GgufFile(path, handle, await readBeginning(handle, parseGgufHeader));
    } catch (error) {
      await handle.close();
      throw withPath(path, error);
    }
  }

  /** @throws {GgufError} if the file has no tensor of that name. */
  info(name: string): GgufTensorInfo {
    const info = this.byName.get(name);
    if (info === undefined) throw new GgufError(`${this.path}: it has no tensor ${name}`);
    return info;
  }

  /** A scalar or string of the metadata, or undefined. */
  scalar(key: string): string | number | boolean | undefined {
    const entry = this.metadata.get(key);
    return entry === undefined || entry.type === "array" ? undefined : entry.value;
  }

  /** Bytes [begin, end) of a tensor; all of it by default. */
  async read(name: string, begin = 0, end = this.info(name).bytes): Promise<Uint8Array> {
    const info = this.info(name);
    if (begin < 0 || begin > end || end > info.bytes) {
      throw new GgufError(`${this.path}: bytes ${begin} to ${end} of ${name} do not exist`);
    }
    return readFully(this.handle, info.offset + begin, end - begin);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/**
 * The metadata of any GGUF file, whatever the types of its tensors.
 * @throws {GgufError} if the file is missing, malformed or truncated; the message starts with the path.
 */
export async function readGgufMetadata(path: string): Promise<GgufMetadata> {
  const handle = await openFile(path);
  try {
    return await readBeginning(handle, parseGgufMetadata);
  } catch (error) {
    throw withPath(path, error);
  } finally {
    await handle.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw new GgufError(`${path}: ${systemErrorText(error)}`);
  }
}

function withPath(path: string, error: unknown): unknown {
  return error instanceof GgufError ? new GgufError(`${path}: ${error.message}`) : error;
}

/** Parses as much of the file as `parse` needs. */
async function readBeginning<T>(handle: FileHandle, parse: (bytes: Uint8Array, fileSize: number) => T): Promise<T> {
  const stat = await handle.stat();
  if (!stat.isFile()) throw new GgufError("not a file");
  for (let size = firstHeaderBytes; ; size *= 2) {
    const bytes = await readFully(handle, 0, Math.min(size, stat.size));
    try {
      return parse(bytes, stat.size);
    } catch (error) {
      if (!(error instanceof HeaderIncomplete)) throw error;
    }
  }
}

async function readFully(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new GgufError(`truncated: the file ends at byte ${position + done}`);
    done += bytesRead;
  }
  return bytes;
}
