/** How many faults of a text are counted and let through, in place of ending the run. */

const bytesPerFault = 100_000;

/** At most one fault for each 100,000 bytes of a file: none in a smaller one. */
export function areFew(faults: number, bytes: number): boolean {
  return faults <= Math.floor(bytes / bytesPerFault);
}
