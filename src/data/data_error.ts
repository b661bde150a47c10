/** Something is wrong with the data that the user pointed at: one line that says what and where. */
export class DataError extends Error {
  override name = "DataError";
}

/** Message of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ");
}
