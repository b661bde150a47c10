/** What else is written to a terminal while a status line stands there: warnings of libraries, remarks on data. */

type Write = NodeJS.WriteStream["write"];

/**
 * Has `around` called for every write to these streams; it gets what writes, and the text.
 * @returns what ends it
 */
export function watchWriters(
  streams: Iterable<NodeJS.WriteStream>,
  around: (pass: () => boolean, chunk: unknown) => boolean,
): () => void {
  const restorers = Array.from(new Set(streams), (stream) => {
    const write = stream.write;
    const watched = (...parameters: Parameters<Write>) => around(() => write.apply(stream, parameters), parameters[0]);
    stream.write = watched as Write;
    return () => {
      // Whoever has replaced it since stays.
      if (stream.write === watched) stream.write = write;
    };
  });
  return () => {
    for (const restore of restorers) restore();
  };
}
