/**
 * LZ4 frames, whole buffers at once: how pandas and pyarrow compress Feather files. Format: "LZ4 Frame Format Description
 * 1.6" and "LZ4 Block Format Description" of the LZ4 project. Checksums are passed over.
 */

const frameMagic = 0x184d2204;

class Lz4Error extends Error {
  override name = "Lz4Error";
}

/** Bytes that grow as they are written; a block may refer to those of earlier blocks. */
class Output {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  append(part: Uint8Array): void {
    this.reserve(part.length);
    this.bytes.set(part, this.length);
    this.length += part.length;
  }

  /** Repeats `count` bytes from `offset` back; they may overlap what they make. */
  repeat(offset: number, count: number): void {
    if (offset === 0 || offset > this.length) throw new Lz4Error("the LZ4 data are damaged");
    this.reserve(count);
    const from = this.length - offset;
    if (offset >= count) this.bytes.copyWithin(this.length, from, from + count);
    else for (let i = 0; i < count; i++) this.bytes[this.length + i] = this.bytes[from + i];
    this.length += count;
  }
}

function unpackBlock(block: Uint8Array, output: Output): void {
  let at = 0;
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; length += byte) byte = block[at++];
    return length;
  };
  while (at < block.length) {
    const token = block[at++];
    const literals = lengthFrom(token >> 4);
    if (!(at + literals <= block.length)) throw new Lz4Error("the LZ4 data are damaged");
    output.append(block.subarray(at, at + literals));
    at += literals;
    // The last sequence has no match.
    if (at === block.length) return;
    const offset = block[at] | (block[at + 1] << 8);
    at += 2;
    output.repeat(offset, lengthFrom(token & 15) + 4);
  }
}

/** What is packed in one frame. @throws {Error} if it is none, or damaged. */
export function unpackLz4Frame(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 11 || view.getUint32(0, true) !== frameMagic) throw new Lz4Error("not an LZ4 frame");
  const flags = frame[4];
  if (flags >> 6 !== 1) throw new Lz4Error("an LZ4 frame of another version");
  const [hasBlockChecksum, hasSize, hasDictionary] = [flags & 0x10, flags & 8, flags & 1];
  const size = hasSize ? Number(view.getBigUint64(6, true)) : undefined;
  const output = new Output(size ?? 4 * frame.length);
  let at = 6 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0) + 1;
  for (;;) {
    if (at + 4 > frame.length) throw new Lz4Error("the LZ4 data end too early");
    const header = view.getUint32(at, true);
    at += 4;
    if (header === 0) break;
    const length = header & 0x7fffffff;
    if (at + length > frame.length) throw new Lz4Error("the LZ4 data end too early");
    const block = frame.subarray(at, at + length);
    if (header >>> 31) output.append(block);
    else unpackBlock(block, output);
    at += length + (hasBlockChecksum ? 4 : 0);
  }
  if (size !== undefined && size !== output.length) throw new Lz4Error("the LZ4 data are damaged");
  return output.bytes.subarray(0, output.length);
}
