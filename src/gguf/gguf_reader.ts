/** Reads a GGUF file: metadata and tensor infos at once, the bytes of a tensor on demand. A split model is read as one. */
import { systemErrorText } from "../errors/system_error.ts";
import { type ByteSource, openLocalFile, UnexpectedEnd } from "../files/byte_source.ts";
import { type GgufTensorInfo, parseGgufHeader, parseGgufMetadata } from "./gguf_header.ts";
import { GgufError, type GgufMetadata } from "./gguf_types.ts";
import { HeaderIncomplete } from "./header_cursor.ts";
import { type RowKeepingOrder, toX86Order } from "./i2_s_orders.ts";
import { partFiles, splitOf } from "./split_files.ts";
import { i2_s } from "./types/i2_s.ts";

/** Bytes of the file that the header is looked for in at first; doubled until it is whole. */
const firstHeaderBytes = 1 << 20;

/** Opens a file by its path. @throws {GgufError} */
export type OpenBytes = (path: string) => Promise<ByteSource>;

export class GgufFile {
  /** Of the first part. */
  readonly path: string;
  /** Of the first part. */
  readonly metadata: GgufMetadata;
  /** In file order. */
  readonly tensors: readonly GgufTensorInfo[];
  /** Bytes of all parts. */
  readonly fileBytes: number;
  private readonly byName: ReadonlyMap<string, GgufTensorInfo>;
  private readonly sources: readonly ByteSource[];
  private readonly i2sOrder: RowKeepingOrder;

  private constructor({ sources, headers }: Parts<ReturnType<typeof parseGgufHeader>>, i2sOrder: RowKeepingOrder) {
    this.i2sOrder = i2sOrder;
    this.path = sources[0].path;
    this.sources = sources;
    this.fileBytes = sources.reduce((sum, { size }) => sum + size, 0);
    this.metadata = headers[0].metadata;
    this.tensors = headers.flatMap(({ tensors }, part) => tensors.map((tensor) => ({ ...tensor, part })));
    this.byName = new Map(this.tensors.map((tensor) => [tensor.name, tensor]));
  }

  /**
   * @param path of the file, or of any part of a split one
   * @param i2sOrder in which its codes of I2_S are; they are read as x86's
   * @throws {GgufError} if a file is missing, malformed or truncated; the message starts with its path.
   */
  static async open(path: string, i2sOrder: RowKeepingOrder = "x86"): Promise<GgufFile> {
    const parts = await openParts(path, openGgufBytes, parseGgufHeader);
    const names = parts.headers.map(({ tensors }) => tensors.map(({ name }) => name));
    const fault = partsFault(parts, names);
    if (fault === null) return new GgufFile(parts, i2sOrder);
    await closeAll(parts.sources);
    throw new GgufError(`${path}: ${fault}`);
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

  /** Bytes [begin, end) of a tensor, whole blocks of it; all of it by default. */
  async read(name: string, begin = 0, end = this.info(name).bytes): Promise<Uint8Array> {
    const info = this.info(name);
    if (begin < 0 || begin > end || end > info.bytes) {
      throw new GgufError(`${this.path}: bytes ${begin} to ${end} of ${name} do not exist`);
    }
    const bytes = await readFully(this.sources[info.part], info.offset + begin, info.offset + end);
    if (info.type.name !== i2_s.name || this.i2sOrder === "x86") return bytes;
    const codes = Math.max(0, Math.min(end, info.bytes - i2_s.tailBytes) - begin);
    bytes.set(toX86Order(bytes.subarray(0, codes), info.shape[info.shape.length - 1], this.i2sOrder));
    return bytes;
  }

  async close(): Promise<void> {
    await closeAll(this.sources);
  }
}

/**
 * The metadata of any GGUF file, whatever the types of its tensors: of a split one those of the first part.
 * @throws {GgufError} if the file is missing, malformed or truncated; the message starts with the path.
 */
export async function readGgufMetadata(path: string): Promise<GgufMetadata> {
  const read = async (file: string) => {
    const source = await openGgufBytes(file);
    try {
      return await readBeginning(source, parseGgufMetadata);
    } catch (error) {
      throw withPath(file, error);
    } finally {
      await source.close();
    }
  };
  const metadata = await read(path);
  const split = splitOf(metadata);
  return split.index === 0 ? metadata : read(partsOf(path, split)[0]);
}

export interface Parts<Header> {
  sources: ByteSource[];
  headers: Header[];
}

/**
 * All parts of a model, given any of them, and their parsed headers.
 * @throws {GgufError} if one is missing, or `parse` throws it; the message starts with the path.
 */
export async function openParts<Header extends { metadata: GgufMetadata }>(
  path: string,
  openBytes: OpenBytes,
  parse: (bytes: Uint8Array, fileSize: number) => Header,
): Promise<Parts<Header>> {
  const opened = new Map<string, { source: ByteSource; header: Header }>();
  const add = async (file: string) => {
    const source = await openBytes(file);
    try {
      opened.set(file, { source, header: await readBeginning(source, parse) });
    } catch (error) {
      await source.close();
      throw withPath(file, error);
    }
  };
  try {
    await add(path);
    const files = partsOf(path, splitOf(opened.get(path)!.header.metadata));
    for (const file of files) if (!opened.has(file)) await add(file);
    const parts = files.map((file) => opened.get(file)!);
    return { sources: parts.map(({ source }) => source), headers: parts.map(({ header }) => header) };
  } catch (error) {
    await closeAll([...opened.values()].map(({ source }) => source));
    throw error;
  }
}

/** What is wrong with files that each are whole, or null. @param names tensors of each part */
export function partsFault(
  { headers, sources }: Parts<{ metadata: GgufMetadata }>,
  names: readonly (readonly string[])[],
): string | null {
  const first = splitOf(headers[0].metadata);
  const stray = headers.findIndex(({ metadata }, i) => {
    const { index, count } = splitOf(metadata);
    return index !== i || count !== first.count;
  });
  if (stray >= 0)
    return `${sources[stray].path} is not part ${stray + 1} of ${first.count} by its keys (split.no, split.count)`;
  const all = names.flat();
  const twice = all.length === new Set(all).size ? undefined : all.find((name, i) => all.indexOf(name) !== i);
  if (twice !== undefined) return `tensor ${twice} occurs in two parts`;
  const isWhole = first.count === 1 || first.tensors === null || first.tensors === all.length;
  return isWhole ? null : `its parts have ${all.length} tensors, split.tensors.count is ${first.tensors}`;
}

function partsOf(path: string, split: { index: number; count: number }): string[] {
  try {
    return partFiles(path, split);
  } catch (error) {
    throw withPath(path, error);
  }
}

export async function closeAll(sources: readonly ByteSource[]): Promise<void> {
  await Promise.all(sources.map((source) => source.close()));
}

export async function openGgufBytes(path: string): Promise<ByteSource> {
  let source: ByteSource | null;
  try {
    source = await openLocalFile(path);
  } catch (error) {
    throw new GgufError(`${path}: ${systemErrorText(error)}`);
  }
  if (source === null) throw new GgufError(`${path}: not a file`);
  return source;
}

function withPath(path: string, error: unknown): unknown {
  return error instanceof GgufError && !error.message.startsWith(path)
    ? new GgufError(`${path}: ${error.message}`)
    : error;
}

/** Parses as much of the file as `parse` needs. */
async function readBeginning<T>(source: ByteSource, parse: (bytes: Uint8Array, fileSize: number) => T): Promise<T> {
  for (let size = firstHeaderBytes; ; size *= 2) {
    const bytes = await readFully(source, 0, Math.min(size, source.size));
    try {
      return parse(bytes, source.size);
    } catch (error) {
      if (!(error instanceof HeaderIncomplete)) throw error;
    }
  }
}

async function readFully(source: ByteSource, begin: number, end: number): Promise<Uint8Array> {
  try {
    return await source.read(begin, end);
  } catch (error) {
    if (error instanceof UnexpectedEnd) throw new GgufError(`truncated: ${error.message}`);
    throw error;
  }
}
