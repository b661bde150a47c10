/** Server-sent events of one answer. A reader that is slow holds its own generation up, and nobody else's. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";

export class EventStream {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;

  /** @param signal aborts when the reader is gone */
  constructor(response: ServerResponse, signal: AbortSignal) {
    this.#response = response;
    this.#signal = signal;
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
  }

  /** @throws the signal's reason when the reader is gone */
  async send(event: unknown): Promise<void> {
    await this.#write(`data: ${JSON.stringify(event)}\n\n`);
  }

  async end(): Promise<void> {
    await this.#write("data: [DONE]\n\n");
    this.#response.end();
  }

  async #write(text: string): Promise<void> {
    this.#signal.throwIfAborted();
    if (!this.#response.write(text)) await once(this.#response, "drain", { signal: this.#signal });
  }

  /** The answer breaks off: the reader is told why. */
  fail(body: unknown): void {
    if (this.#response.writable) this.#response.end(`data: ${JSON.stringify(body)}\n\n`);
  }
}
