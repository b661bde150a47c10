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
  DataType,
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
import { DataError } from "../../src/data/data_error.ts";
import { messageOf } from "../../src/errors/user_error.ts";

/** 2 or 4 MiB. */
export const batchTokens = 1 << 20;
/** 64 Mi tokens: 128 or 256 MiB a shard. */
export const batchesPerShard = 64;

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

/** An open shard, and where the tokens of each of its record batches begin in the file. */
interface OpenShard {
  handle: FileHandle;
  offsets: number[];
}

/**
 * Random access to a token stream on disk. The footer of each shard says where its batches lie; from then on only the
 * tokens asked for are read, so a sequence costs one small read and no memory stays behind.
 */
export class ShardReader {
  /** Tokens in the stream. */
  readonly length: number;
  private readonly folder: string;
  private readonly name: string;
  private readonly shards = new Map<number, Promise<OpenShard>>();
  private tokenBytes = 0;
  private reads = 0;
  private closed = false;
  private onIdle: (() => void) | null = null;

  constructor(folder: string, name: string, length: number) {
    this.folder = folder;
    this.name = name;
    this.length = length;
  }

  /**
   * Copies the tokens at `start` ... `start + out.length - 1` into `out`. Any number of reads may be under way.
   * @throws {DataError} if a shard is missing or damaged.
   */
  async read(start: number, out: Int32Array): Promise<void> {
    if (start < 0 || start + out.length > this.length) throw new RangeError("read beyond the token stream");
    if (this.closed) throw new Error("the token stream is closed");
    this.reads++;
    try {
      for (let done = 0; done < out.length; ) {
        const position = start + done;
        const offset = position % batchTokens;
        const count = Math.min(out.length - done, batchTokens - offset);
        await this.readWithin(Math.floor(position / batchTokens), offset, out.subarray(done, done + count));
        done += count;
      }
    } finally {
      this.reads--;
      if (this.reads === 0) this.onIdle?.();
    }
  }

  /** Closes the files when the reads under way are done; later reads fail. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.reads > 0) await new Promise<void>((resolve) => (this.onIdle = resolve));
    const shards = await Promise.allSettled(this.shards.values());
    this.shards.clear();
    await Promise.all(shards.map((shard) => (shard.status === "fulfilled" ? shard.value.handle.close() : null)));
  }

  /** Reads tokens of one record batch. */
  private async readWithin(batch: number, offset: number, out: Int32Array): Promise<void> {
    const number = Math.floor(batch / batchesPerShard);
    try {
      let shard = this.shards.get(number);
      if (!shard) {
        shard = this.openShard(number);
        this.shards.set(number, shard);
      }
      const { handle, offsets } = await shard;
      const bytes = new Uint8Array(out.length * this.tokenBytes);
      const position = offsets[batch % batchesPerShard] + offset * this.tokenBytes;
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, position);
      if (bytesRead < bytes.length) throw new Error("it ends early");
      out.set(this.tokenBytes === 2 ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer));
    } catch (error) {
      const file = shardFile(this.folder, this.name, number);
      throw new DataError(`${file}: the cached tokens are damaged (${messageOf(error)}); delete this folder`);
    }
  }

  private async openShard(number: number): Promise<OpenShard> {
    const handle = await open(shardFile(this.folder, this.name, number));
    try {
      const reader = (await RecordBatchReader.from(handle)) as unknown as AsyncRecordBatchFileReader;
      await reader.open();
      const blocks = [...(reader.footer?.recordBatches() ?? [])];
      const type = reader.schema.fields[0]?.type;
      if (!DataType.isInt(type)) throw new Error("no tokens in it");
      this.tokenBytes = type.bitWidth / 8;
      const batches = Math.ceil(this.length / batchTokens) - number * batchesPerShard;
      if (blocks.length !== Math.min(batches, batchesPerShard)) throw new Error("batches are missing");
      // The body of a batch begins with the tokens: a column that cannot be null has an empty validity buffer.
      return { handle, offsets: blocks.map((block) => block.offset + block.metaDataLength) };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}
