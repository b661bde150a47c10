/** Server-sent events: the data of each, whatever the chunks they come in. */
import { createParser } from "eventsource-parser";

/** Data of the events in `body`; one that the stream's end cuts short of its empty line counts, too. */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  let events: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => events.push(data) });
  const take = () => {
    const taken = events;
    events = [];
    return taken;
  };
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* take();
  }
  parser.feed(`${decoder.decode()}\n\n`);
  yield* take();
}
