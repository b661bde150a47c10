/**
 * Recycled tensor memory: plain ArrayBuffers in size classes, with 64-byte aligned views.
 *
 * External ArrayBuffers over malloc would need finalizers, which do not run inside a synchronous training loop; plain
 * ones that are recycled here keep a steady-state loop at a constant size. A request takes an idle buffer of its class,
 * else one of up to twice its size, else a new one. The pool holds at most `slack` times the bytes that were once in use
 * at the same time: beyond that, idle buffers of the classes unused for longest go to the garbage collector.
 */

const alignment = 64;
/** Smaller requests share the smallest class. */
const smallestClass = 256;
/** Above 1, because forward and backward need different sizes: without it a training loop frees and faults in pages. */
const slack = 1.5;

/** Memory of one tensor. `view` covers the elements asked for and starts 64-byte aligned. */
export interface Block {
  readonly buffer: ArrayBuffer;
  /** Bytes from the start of `buffer` to its aligned address. */
  readonly offset: number;
  /** Bytes usable from there: the size class. */
  readonly capacity: number;
}

/** Rounds up to a quarter of a power of two: at most 25% is wasted, and near sizes share buffers. */
function sizeClass(bytes: number): number {
  if (bytes <= smallestClass) return smallestClass;
  const power = 2 ** Math.floor(Math.log2(bytes - 1));
  const step = power / 4;
  return Math.ceil(bytes / step) * step;
}

export class BufferPool {
  /** Idle blocks by capacity; classes in order of last use, oldest first. */
  private readonly idle = new Map<number, Block[]>();
  private readonly buffers = new WeakSet<ArrayBufferLike>();
  private readonly alignmentOffset: (buffer: ArrayBuffer) => number;
  private bytesLive = 0;
  private bytesIdle = 0;
  private bytesPeak = 0;

  constructor(alignmentOffset: (buffer: ArrayBuffer) => number) {
    this.alignmentOffset = alignmentOffset;
  }

  /** A block of at least `bytes` bytes. Its content is whatever its last user left. */
  take(bytes: number): Block {
    const block = this.takeIdle(sizeClass(bytes)) ?? this.create(sizeClass(bytes));
    this.bytesLive += block.capacity;
    this.bytesPeak = Math.max(this.bytesPeak, this.bytesLive);
    this.trim();
    return block;
  }

  /** Returns a block; nobody may read or write it afterwards. */
  give(block: Block): void {
    this.bytesLive -= block.capacity;
    this.bytesIdle += block.capacity;
    const list = this.idle.get(block.capacity) ?? [];
    list.push(block);
    // Re-inserting makes this the most recently used class.
    this.idle.delete(block.capacity);
    this.idle.set(block.capacity, list);
  }

  /** True if `buffer` is memory of this pool, in use or idle. */
  owns(buffer: ArrayBufferLike): boolean {
    return this.buffers.has(buffer);
  }

  /** Bytes in use and bytes kept for reuse. */
  usage(): { live: number; idle: number } {
    return { live: this.bytesLive, idle: this.bytesIdle };
  }

  private takeIdle(capacity: number): Block | undefined {
    let best: Block[] | undefined;
    let bestCapacity = 2 * capacity + 1;
    for (const [size, list] of this.idle) {
      if (list.length > 0 && size >= capacity && size < bestCapacity) {
        best = list;
        bestCapacity = size;
      }
    }
    if (best) this.bytesIdle -= bestCapacity;
    return best?.pop();
  }

  private create(capacity: number): Block {
    const buffer = new ArrayBuffer(capacity + alignment);
    this.buffers.add(buffer);
    return { buffer, offset: this.alignmentOffset(buffer), capacity };
  }

  private trim(): void {
    for (const [capacity, list] of this.idle) {
      if (this.bytesLive + this.bytesIdle <= slack * this.bytesPeak) return;
      while (list.length > 0 && this.bytesLive + this.bytesIdle > slack * this.bytesPeak) {
        list.pop();
        this.bytesIdle -= capacity;
      }
      if (list.length === 0) this.idle.delete(capacity);
    }
  }
}
