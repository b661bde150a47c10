/**
 * Serves the live page of a run on the loopback address: `/`, and `/events` (server-sent events). Requests that name
 * another host are refused: a page of the web whose name was pointed at this machine (DNS rebinding) reads nothing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemErrorCode, systemErrorText } from "../../src/errors/system_error.ts";
import { UserError } from "../../src/errors/user_error.ts";
import type { LiveMessage, LiveRun } from "./live_run.ts";

/** The page cannot be served. */
export class DashboardError extends UserError {
  override name = "DashboardError";
}

const loopback = "127.0.0.1";
/** Milliseconds between two tellings of the step at hand. */
const stepInterval = 500;

const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy":
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:",
};
const eventHeaders = { "content-type": "text/event-stream", "cache-control": "no-store" };

export class LiveServer {
  private readonly server: Server;
  private readonly pages = new Set<ServerResponse>();
  private readonly run: LiveRun;
  private toldStep = -Infinity;

  /** @param page HTML */
  constructor(run: LiveRun, page: string) {
    this.run = run;
    this.server = createServer((request, response) => this.answer(request, response, page));
  }

  /** Port it listens on. @param port 0 for a free one @throws {DashboardError} */
  async listen(port: number): Promise<number> {
    await listen(this.server, port);
    return (this.server.address() as AddressInfo).port;
  }

  hear(message: LiveMessage): void {
    const now = performance.now();
    this.run.hear(message, now);
    // The end comes with the last step, which may have been too soon after the one that was told.
    if (message.type === "end") this.tellStep();
    if (message.type !== "step") this.tell(message.type, message);
    else if (now - this.toldStep >= stepInterval) {
      this.toldStep = now;
      this.tellStep();
    }
  }

  /** Lets the pages have what they were told, and ends. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const page of this.pages) page.end();
    this.server.closeIdleConnections();
    await closed;
  }

  private tellStep(): void {
    const { step, loss, secondsLeft } = this.run.state;
    this.tell("step", { step, loss, secondsLeft });
  }

  private tell(event: string, data: object): void {
    for (const page of this.pages) page.write(eventText(event, data));
  }

  private answer(request: IncomingMessage, response: ServerResponse, page: string): void {
    const refuse = (status: number, text: string) =>
      response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
    if (!this.isOurs(request.headers.host))
      return void refuse(403, "this page is served to the machine it runs on only");
    if (request.method !== "GET") return void refuse(405, "GET is all there is");
    const { pathname } = new URL(request.url ?? "/", `http://${loopback}`);
    if (pathname === "/") response.writeHead(200, pageHeaders).end(page);
    else if (pathname === "/events") this.open(response);
    else refuse(404, "there is / and /events");
  }

  private isOurs(host: string | undefined): boolean {
    const { port } = this.server.address() as AddressInfo;
    return host === `${loopback}:${port}` || host === `localhost:${port}`;
  }

  private open(response: ServerResponse): void {
    response.writeHead(200, eventHeaders);
    response.write(eventText("state", this.run.state));
    this.pages.add(response);
    response.on("close", () => this.pages.delete(response));
  }
}

/** Better now than after the data are prepared. @throws {DashboardError} if the port is taken */
export async function checkPort(port: number): Promise<void> {
  const server = createServer();
  await listen(server, port);
  await new Promise((resolve) => server.close(resolve));
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError(port, error)));
    server.listen(port, loopback, resolve);
  });
}

const eventText = (event: string, data: object) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

function listenError(port: number, error: Error): Error {
  const code = systemErrorCode(error);
  if (code === "EADDRINUSE") {
    return new DashboardError(`port ${port} is taken: name another one with --dashboard=PORT, or none for a free one`);
  }
  return code === undefined ? error : new DashboardError(`port ${port}: ${systemErrorText(error)}`);
}
