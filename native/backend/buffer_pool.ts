/**
 * Recycled tensor memory: plain ArrayBuffers in size classes, with 64-byte aligned views.
 *
 * External ArrayBuffers over malloc would need finalizers, which do not run inside a synchronous training loop; plain
 * ones that are recycled here keep a steady-state loop at a constant size. A request takes an idle buffer of its class,
 * else one of up to twice its size, else a new one. The pool holds at most `slack` times the bytes that were once in use
 * at the same time: beyond that, idle buffers of the classes unused for longest go to the garbage collector.
 */

const cacheLine = 64;
/** Larger buffers start at such a page, and the system is asked for pages of that size. */
const hugePage = 2 ** 21;
/** Smaller requests share the smallest class. */
const smallestClass = 256;
/** Above 1, because forward and backward need different sizes: without it a training loop frees and faults in pages. */
const slack = 1.5;

/** Memory of one tensor. `view` covers the elements asked for and starts 64-byte aligned. */
export interface Block {
  readonly buffer: ArrayBuffer;
  /** Bytes from the start of `buffer` to its aligned address. */
  readonly offset: number;
  /** Bytes usable from there. */
  readonly capacity: number;
  /** Size class of the request that it serves now. */
  requested: number;
}

export interface PoolUsage {
  /** Bytes asked for by tensors in use. */
  live: number;
  /** The largest `live` so far. */
  peak: number;
  /** Bytes of all buffers, in use and kept for reuse. */
  held: number;
}

/** Rounds up to a quarter of a power of two: at most 25% is wasted, and near sizes share buffers. */
function sizeClass(bytes: number): number {
  if (bytes <= smallestClass) return smallestClass;
  // clz32 where it reaches: Math.log2 is slower than the rest of a request.
  const below = bytes - 1;
  const power = below < 2 ** 31 ? 2 ** (31 - Math.clz32(below)) : 2 ** Math.floor(Math.log2(below));
  const step = power / 4;
  return Math.ceil(bytes / step) * step;
}

export class BufferPool {
  /** Idle blocks by capacity; classes in order of last use, oldest first. */
  private readonly idle = new Map<number, Block[]>();
  private readonly buffers = new WeakSet<ArrayBufferLike>();
  private readonly alignmentOffset: (buffer: ArrayBuffer, alignment: number) => number;
  private live = 0;
  private peak = 0;
  private held = 0;

  constructor(alignmentOffset: (buffer: ArrayBuffer, alignment: number) => number) {
    this.alignmentOffset = alignmentOffset;
  }

  /** A block of at least `bytes` bytes. Its content is whatever its last user left. */
  take(bytes: number): Block {
    const requested = sizeClass(bytes);
    const block = this.takeIdle(requested) ?? this.create(requested);
    block.requested = requested;
    this.live += requested;
    this.peak = Math.max(this.peak, this.live);
    this.trim();
    return block;
  }

  /** Returns a block; nobody may read or write it afterwards. */
  give(block: Block): void {
    this.live -= block.requested;
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

  usage(): PoolUsage {
    return { live: this.live, peak: this.peak, held: this.held };
  }

  private takeIdle(capacity: number): Block | undefined {
    const exact = this.idle.get(capacity)?.pop();
    if (exact !== undefined) return exact;
    let best: Block[] | undefined;
    let bestCapacity = 2 * capacity + 1;
    for (const [size, list] of this.idle) {
      if (list.length > 0 && size >= capacity && size < bestCapacity) {
        best = list;
        bestCapacity = size;
      }
    }
    return best?.pop();
  }

  private create(capacity: number): Block {
    const alignment = capacity >= hugePage ? hugePage : cacheLine;
    const buffer = new ArrayBuffer(capacity + alignment);
    this.buffers.add(buffer);
    this.held += capacity;
    return { buffer, offset: this.alignmentOffset(buffer, alignment), capacity, requested: capacity };
  }

  private trim(): void {
    if (this.held <= slack * this.peak) return;
    for (const [capacity, list] of this.idle) {
      while (list.length > 0 && this.held > slack * this.peak) {
        list.pop();
        this.held -= capacity;
      }
      if (this.held <= slack * this.peak) return;
      this.idle.delete(capacity);
    }
  }
}
