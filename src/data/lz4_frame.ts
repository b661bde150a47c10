/**
 * LZ4 frames, whole buffers at once: how pandas and pyarrow compress Feather files. Format: "LZ4 Frame Format Description
 * 1.6" and "LZ4 Block Format Description" of the LZ4 project. Checksums are passed over.
 */

const frameMagic = 0x184d2204;

class Lz4Error extends Error {
  override name = "Lz4Error";
}

/** What has been unpacked so far; a block may refer to bytes of earlier blocks. */
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
}

/** From here on copies of a view or by the engine are faster than a loop. */
const longCopy = 48;

/** @param most that the block unpacks to */
function unpackBlock(block: Uint8Array, output: Output, most: number): void {
  output.reserve(most);
  const { bytes } = output;
  const limit = output.length + most;
  let to = output.length;
  let at = 0;
  const damaged = () => new Lz4Error("the LZ4 data are damaged");
  while (at < block.length) {
    const token = block[at++];
    let literals = token >> 4;
    for (let byte = literals === 15 ? 255 : 0; byte === 255; literals += byte) byte = block[at++];
    if (!(at + literals <= block.length && to + literals <= limit)) throw damaged();
    if (literals >= longCopy) bytes.set(block.subarray(at, at + literals), to);
    else for (let i = 0; i < literals; i++) bytes[to + i] = block[at + i];
    at += literals;
    to += literals;
    // The last sequence has no match.
    if (at === block.length) break;
    const from = to - (block[at] | (block[at + 1] << 8));
    at += 2;
    let count = token & 15;
    for (let byte = count === 15 ? 255 : 0; byte === 255; count += byte) byte = block[at++];
    count += 4;
    if (!(from >= 0 && from < to && to + count <= limit)) throw damaged();
    // A match may overlap what it makes.
    if (count >= longCopy && from + count <= to) bytes.copyWithin(to, from, from + count);
    else for (let i = 0; i < count; i++) bytes[to + i] = bytes[from + i];
    to += count;
  }
  output.length = to;
}

/** What is packed in one frame. @throws {Error} if it is none, or damaged. */
export function unpackLz4Frame(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 11 || view.getUint32(0, true) !== frameMagic) throw new Lz4Error("not an LZ4 frame");
  const flags = frame[4];
  if (flags >> 6 !== 1) throw new Lz4Error("an LZ4 frame of another version");
  const [hasBlockChecksum, hasSize, hasDictionary] = [flags & 0x10, flags & 8, flags & 1];
  const size = hasSize ? Number(view.getBigUint64(6, true)) : undefined;
  // 64 KiB, 256 KiB, 1 MiB or 4 MiB.
  const blockSize = 1 << (8 + 2 * ((frame[5] >> 4) & 7));
  const output = new Output(Math.max(size ?? 4 * frame.length, blockSize));
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
    else unpackBlock(block, output, blockSize);
    at += length + (hasBlockChecksum ? 4 : 0);
  }
  if (size !== undefined && size !== output.length) throw new Lz4Error("the LZ4 data are damaged");
  return output.bytes.subarray(0, output.length);
}
