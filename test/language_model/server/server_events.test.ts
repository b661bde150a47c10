import { describe, expect, it } from "vitest";
import { eventData } from "../../../src/language_model/server/server_events.ts";

/** Events of a stream that comes in chunks of `size` bytes. */
async function read(text: string, size: number): Promise<string[]> {
  const bytes = new TextEncoder().encode(text);
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let i = 0; i < bytes.length; i += size) controller.enqueue(bytes.subarray(i, i + size));
      controller.close();
    },
  });
  const events: string[] = [];
  for await (const data of eventData(stream)) events.push(data);
  return events;
}

describe.each([1, 3, 1000])("eventData in chunks of %d bytes", (size) => {
  it.each<[string, string, string[]]>([
    ["one a line", 'data: {"a":1}\n\ndata: [DONE]\n\n', ['{"a":1}', "[DONE]"]],
    ["several lines of data", 'data: {"a":\ndata: 1}\n\n', ['{"a":\n1}']],
    ["no space, comments, names, numbers", ": ping\n\nevent: x\nid: 7\ndata:é🙂\nretry: 5\n\n", ["é🙂"]],
    ["carriage returns", "data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]],
    ["an end without its empty line", "data: a\n\ndata: b\n", ["a", "b"]],
    ["an end without its line break", "data: a\n\ndata: b", ["a", "b"]],
    ["nothing", "", []],
  ])("%s", async (_, text, events) => expect(await read(text, size)).toEqual(events));
});
