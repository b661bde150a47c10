/** Small pictures with a palette as PNG: a matrix of codes, a pixel each. Shown as they are, whatever the page's colours. */
import { crc32, deflateSync } from "node:zlib";

/** Red, green, blue, and how much of it covers the ground, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number, alpha: number];

export interface PixelPicture {
  width: number;
  height: number;
  /** Indices of the palette, row by row. */
  pixels: Uint8Array;
  /** At most 256. */
  palette: readonly Colour[];
}

function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

/** PNG of 8 bits a pixel with palette and transparency (ISO/IEC 15948). */
function encodePixels({ width, height, pixels, palette }: PixelPicture): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Depth, and colour type 3: indices.
  header.set([8, 3], 8);
  const lines = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("PLTE", Uint8Array.from(palette.flatMap((colour) => colour.slice(0, 3)))),
    chunk(
      "tRNS",
      Uint8Array.from(palette, ([, , , alpha]) => alpha),
    ),
    chunk("IDAT", deflateSync(lines)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** As the source of an `<img>`. */
export function pixelsUrl(picture: PixelPicture): string {
  return `data:image/png;base64,${encodePixels(picture).toString("base64")}`;
}

/** Readable on white and on black. */
const negative = [217, 119, 30] as const;
const positive = [64, 126, 201] as const;

/** A colour for each value: orange below 0, blue above, stronger as they are farther from it; 0 shows the ground. */
export function signPalette(values: readonly number[]): Colour[] {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  return values.map((value) => [...(value < 0 ? negative : positive), Math.round((255 * Math.abs(value)) / largest)]);
}

export const shareSteps = 64;

/** {@link shareSteps} colours for shares from 0, which shows the ground, to 1. */
export function sharePalette(): Colour[] {
  return Array.from({ length: shareSteps }, (_, i) => [...positive, Math.round((255 * i) / (shareSteps - 1))]);
}
