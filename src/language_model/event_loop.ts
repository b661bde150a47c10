/** Lets Ctrl-C and the progress display have their turn. @throws the signal's reason if it has aborted. */
export async function eventLoopTurn(signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}
