/**
 * Token streams on disk: Arrow IPC files `<name>-00000.arrow`, `<name>-00001.arrow`, ... with one column `tokens`
 * (uint16, or uint32 for vocabularies beyond 65536). Every record batch but the stream's last holds `batchTokens`
 * tokens and every shard but the last `batchesPerShard` batches, so a position in the stream names its batch.
 */
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import {
  AsyncByteQueue,
  type AsyncRecordBatchFileReader,
  Field,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  Schema,
  Struct,
  Uint16,
  Uint32,
} from "apache-arrow";
import { DataError, messageOf } from "./data_error.ts";

/** Small enough that reading one sequence out of a batch stays cheap (128 or 256 KiB), see `batch_iterator.ts`. */
export const batchTokens = 1 << 16;
/** 64 Mi tokens: 128 or 256 MiB a shard. */
export const batchesPerShard = 1 << 10;
/** Memory for batches read, per open stream. */
const cachedBytes = 16 << 20;

type TokenArray = Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

function shardFile(folder: string, name: string, shard: number): string {
  return path.join(folder, `${name}-${String(shard).padStart(5, "0")}.arrow`);
}

/** Collects what an Arrow writer makes, which knows no backpressure, until it is written out. */
class ChunkSink extends AsyncByteQueue {
  chunks: Uint8Array[] = [];

  override write(chunk: ArrayBufferView | ArrayBufferLike): void {
    // The writer reuses nothing, but the tokens are a view of a buffer that is filled again: written before that.
    this.chunks.push(
      ArrayBuffer.isView(chunk)
        ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        : new Uint8Array(chunk),
    );
  }
}

/** Writes one token stream. */
export class ShardWriter {
  private readonly folder: string;
  private readonly name: string;
  private readonly type: Uint16 | Uint32;
  private readonly schema: Schema;
  private readonly batch: TokenArray;
  private filled = 0;
  private batches = 0;
  private handle: FileHandle | null = null;
  private writer: RecordBatchFileWriter | null = null;
  private sink = new ChunkSink();
  /** Tokens written so far. */
  tokens = 0;

  /** @param vocabSize decides the width of a token. */
  constructor(folder: string, name: string, vocabSize: number) {
    this.folder = folder;
    this.name = name;
    const wide = vocabSize > 1 << 16;
    this.type = wide ? new Uint32() : new Uint16();
    this.batch = wide ? new Uint32Array(batchTokens) : new Uint16Array(batchTokens);
    this.schema = new Schema([new Field("tokens", this.type, false)]);
  }

  async write(ids: Uint32Array): Promise<void> {
    for (let start = 0; start < ids.length; ) {
      const count = Math.min(ids.length - start, batchTokens - this.filled);
      this.batch.set(ids.subarray(start, start + count), this.filled);
      this.filled += count;
      start += count;
      if (this.filled === batchTokens) await this.flushBatch();
    }
    this.tokens += ids.length;
  }

  /** Ends the stream; its files are on disk when this returns. */
  async close(): Promise<void> {
    if (this.filled > 0) await this.flushBatch();
    await this.closeShard();
  }

  /** Gives up: closes the file, complete or not. */
  async abort(): Promise<void> {
    await this.handle?.close();
    this.handle = null;
  }

  private async flushBatch(): Promise<void> {
    if (this.batches % batchesPerShard === 0) {
      await this.closeShard();
      this.handle = await open(shardFile(this.folder, this.name, this.batches / batchesPerShard), "w");
      this.writer = new RecordBatchFileWriter();
      this.sink = new ChunkSink();
      this.writer.reset(this.sink, this.schema);
    }
    const tokens = makeData({ type: this.type, length: this.filled, data: this.batch.subarray(0, this.filled) });
    const struct = makeData({ type: new Struct(this.schema.fields), length: this.filled, children: [tokens] });
    this.writer!.write(new RecordBatch(this.schema, struct));
    await this.drain();
    this.filled = 0;
    this.batches++;
  }

  private async drain(): Promise<void> {
    const { chunks } = this.sink;
    this.sink.chunks = [];
    let size = 0;
    for (const chunk of chunks) size += chunk.length;
    // One write a batch; `writev` may write less than it was given.
    const joined = Buffer.concat(chunks, size);
    for (let done = 0; done < size; ) done += (await this.handle!.write(joined, done)).bytesWritten;
  }

  private async closeShard(): Promise<void> {
    if (!this.handle) return;
    this.writer!.close();
    await this.drain();
    await this.handle.sync();
    await this.handle.close();
    this.handle = null;
  }
}

/** Random access to a token stream on disk; holds a bounded number of record batches. */
export class ShardReader {
  /** Tokens in the stream. */
  readonly length: number;
  private readonly folder: string;
  private readonly name: string;
  private readonly shards = new Map<number, { handle: FileHandle; reader: AsyncRecordBatchFileReader }>();
  /** Batches by number, the least recently used first. */
  private readonly cache = new Map<number, TokenArray>();
  private cached = 0;
  /** Arrow's reader seeks: one read at a time. */
  private queue: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(folder: string, name: string, length: number) {
    this.folder = folder;
    this.name = name;
    this.length = length;
  }

  /**
   * Copies the tokens at `start` ... `start + out.length - 1` into `out`.
   * @throws {DataError} if a shard is missing or damaged.
   */
  read(start: number, out: Int32Array): Promise<void> {
    const result = this.queue.then(() => this.readNow(start, out));
    this.queue = result.catch(() => {});
    return result;
  }

  /** Closes the files after the read in progress; later reads fail. */
  async close(): Promise<void> {
    this.closed = true;
    await this.queue;
    const open = [...this.shards.values()];
    this.shards.clear();
    this.cache.clear();
    await Promise.all(open.map(({ handle }) => handle.close()));
  }

  private async readNow(start: number, out: Int32Array): Promise<void> {
    if (start < 0 || start + out.length > this.length) throw new RangeError("read beyond the token stream");
    for (let done = 0; done < out.length; ) {
      if (this.closed) throw new Error("the token stream is closed");
      const position = start + done;
      const batch = await this.batchAt(Math.floor(position / batchTokens));
      const offset = position % batchTokens;
      const count = Math.min(out.length - done, batch.length - offset);
      if (count <= 0) throw new DataError(`${this.folder}: the cached tokens are damaged; delete this folder`);
      out.set(batch.subarray(offset, offset + count), done);
      done += count;
    }
  }

  private async batchAt(number: number): Promise<TokenArray> {
    let batch = this.cache.get(number);
    if (batch) {
      this.cache.delete(number);
    } else {
      batch = await this.load(number);
      this.cached += batch.byteLength;
      for (const [oldest, { byteLength }] of this.cache) {
        if (this.cached <= cachedBytes) break;
        this.cache.delete(oldest);
        this.cached -= byteLength;
      }
    }
    this.cache.set(number, batch);
    return batch;
  }

  private async load(number: number): Promise<TokenArray> {
    const shard = Math.floor(number / batchesPerShard);
    try {
      let opened = this.shards.get(shard);
      if (!opened) {
        const handle = await open(shardFile(this.folder, this.name, shard));
        const reader = (await RecordBatchReader.from(handle)) as unknown as AsyncRecordBatchFileReader;
        opened = { handle, reader };
        this.shards.set(shard, opened);
        await reader.open();
      }
      const batch = await opened.reader.readRecordBatch(number % batchesPerShard);
      const values: unknown = batch?.getChildAt(0)?.data[0].values;
      if (values instanceof Uint16Array || values instanceof Uint32Array) return values as TokenArray;
      throw new Error("no tokens in it");
    } catch (error) {
      const file = shardFile(this.folder, this.name, shard);
      throw new DataError(`${file}: the cached tokens are damaged (${messageOf(error)}); delete this folder`);
    }
  }
}
