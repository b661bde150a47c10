/** What this machine can do at most, measured in native code (`native/cc/core/measured_peaks.h`). */
import { loadAddon } from "./addon.ts";

declare module "./addon.ts" {
  interface NativeAddon {
    measureFmaPeak(threads: number, seconds: number): Promise<number>;
    measureInt8Peak(threads: number, seconds: number): Promise<number>;
    measureBf16Peak(threads: number, seconds: number): Promise<number>;
    measureReadBandwidth(threads: number, bytes: number): Promise<number>;
  }
}

/** Far larger than any cache. */
const readBytes = 256 * 2 ** 20;

/**
 * 8-bit multiplications and additions per second of the active kernel variant's dot-product instructions, on registers
 * only, `threads` threads at once. Null where the variant has none.
 */
export async function measureInt8Peak(threads: number, seconds = 0.1): Promise<number | null> {
  return (await loadAddon().measureInt8Peak(threads, seconds)) || null;
}

/** The same of float32 multiply-adds. */
export async function measureFmaPeak(threads: number, seconds = 0.1): Promise<number | null> {
  return (await loadAddon().measureFmaPeak(threads, seconds)) || null;
}

/** The same of bfloat16 products summed in float32. Null too where the CPU has no instructions for them. */
export async function measureBf16Peak(threads: number, seconds = 0.1): Promise<number | null> {
  return (await loadAddon().measureBf16Peak(threads, seconds)) || null;
}

/** Bytes per second at which `threads` threads read memory. Takes 256 MiB while it runs. */
export async function measureReadBandwidth(threads: number): Promise<number> {
  return loadAddon().measureReadBandwidth(threads, readBytes);
}
