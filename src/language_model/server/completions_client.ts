/**
 * HTTP to a server with OpenAI's completions API. A request that may succeed later (no connection, a time-out, 408, 429, 5xx,
 * an answer that was cut) is repeated after 1, 2, 4 ... seconds; what is wrong in itself is an error at once.
 */
import { systemErrorText } from "../../errors/system_error.ts";
import { proxyFor } from "../../machine/proxy.ts";
import { ProxyError, proxyFetch, proxyText } from "../../machine/proxy_fetch.ts";
import { ServerError } from "./server_error.ts";
import { eventData } from "./server_events.ts";

export interface CompletionsClientOptions {
  /** Up to and with `/v1`. */
  url: string;
  apiKey?: string;
  /** For one request, its answer included. At most 300 s, the limit of Node's `fetch`. */
  timeoutSeconds?: number;
  /** Repetitions of a request that failed. */
  retries?: number;
  /** Hears, before each repetition, what failed: a request may wait for minutes. */
  onRetry?: (message: string) => void;
  /** Replaced by tests. */
  wait?: (seconds: number, signal?: AbortSignal) => Promise<void>;
}

const longestQuote = 200;

/** Failed, but may succeed when it is repeated. */
class TransientError extends ServerError {}

function quote(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > longestQuote ? `${line.slice(0, longestQuote)} ...` : line;
}

/** The message of an error body: `{"error": {"message": ...}}`, `{"message": ...}`, or the text itself. */
function errorMessage(body: string): string {
  try {
    const json = JSON.parse(body) as { error?: { message?: unknown } | string; message?: unknown; detail?: unknown };
    const error = typeof json.error === "string" ? json.error : json.error?.message;
    const message = error ?? json.message ?? json.detail;
    if (message !== undefined) return quote(typeof message === "string" ? message : JSON.stringify(message));
  } catch {
    // No JSON: quoted as it is.
  }
  return quote(body);
}

/** Why `fetch` failed: its own message is only "fetch failed". */
function connectionProblem(error: unknown): string {
  return systemErrorText((error as Error).cause ?? error);
}

function waitSeconds(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

export class CompletionsClient {
  readonly url: string;
  private readonly headers: Record<string, string>;
  private readonly timeoutSeconds: number;
  private readonly retries: number;
  private readonly onRetry: ((message: string) => void) | undefined;
  private readonly wait: (seconds: number, signal?: AbortSignal) => Promise<void>;

  constructor({
    url,
    apiKey,
    timeoutSeconds = 300,
    retries = 3,
    onRetry,
    wait = waitSeconds,
  }: CompletionsClientOptions) {
    this.url = url.replace(/\/+$/, "");
    this.headers = {
      "content-type": "application/json",
      ...(apiKey && { authorization: `Bearer ${apiKey}` }),
    };
    this.timeoutSeconds = timeoutSeconds;
    this.retries = retries;
    this.onRetry = onRetry;
    this.wait = wait;
  }

  /** @throws {ServerError}, or the signal's reason. */
  async get(path: string, signal?: AbortSignal): Promise<unknown> {
    return this.repeated(() => this.json(path, undefined, signal), signal);
  }

  /** @throws {ServerError}, or the signal's reason. */
  async post(path: string, body: object, signal?: AbortSignal): Promise<unknown> {
    return this.repeated(() => this.json(path, body, signal), signal);
  }

  /** The data of server-sent events, parsed, until `[DONE]`. Not repeated. @throws {ServerError} */
  async *events(path: string, body: object, signal?: AbortSignal): AsyncGenerator<unknown, void> {
    const response = await this.request(path, { ...body, stream: true }, signal);
    if (!response.ok) throw this.refusal(path, response, await this.received(path, response.text(), signal));
    const events = eventData(response.body!);
    try {
      for (;;) {
        const { done, value } = await this.received(path, events.next(), signal);
        if (done || value === "[DONE]") return;
        yield this.parse(path, value);
      }
    } finally {
      await events.return();
    }
  }

  private async repeated<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let failures = 0; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        if (failures >= this.retries) {
          throw new ServerError(failures === 0 ? error.message : `${error.message} (tried ${failures + 1} times)`);
        }
        this.onRetry?.(`${error.message}; trying again (${failures + 1} of ${this.retries})`);
        await this.wait(2 ** failures, signal);
      }
    }
  }

  private async json(path: string, body: object | undefined, signal: AbortSignal | undefined): Promise<unknown> {
    const response = await this.request(path, body, signal);
    const text = await this.received(path, response.text(), signal);
    if (!response.ok) throw this.refusal(path, response, text);
    return this.parse(path, text, response.headers.get("content-type"));
  }

  private async request(path: string, body: object | undefined, signal: AbortSignal | undefined): Promise<Response> {
    const timeout = AbortSignal.timeout(this.timeoutSeconds * 1000);
    const response = proxyFetch()(`${this.url}/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: this.headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    return this.received(path, response, signal);
  }

  /** What comes from the server, unless it stops coming. */
  private async received<T>(path: string, answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      signal?.throwIfAborted();
      throw this.unanswered(path, error);
    }
  }

  private unanswered(path: string, error: unknown): ServerError {
    const place = `${this.url}/${path}`;
    if (error instanceof ProxyError) return new ServerError(`${place}: ${error.message}`);
    if ((error as Error).name === "TimeoutError") {
      return new TransientError(`${place}: no answer within ${this.timeoutSeconds} s (timeout= sets the limit)`);
    }
    const proxy = proxyFor(new URL(this.url));
    const through = proxy === null ? "" : ` through ${proxyText(proxy)}; NO_PROXY names hosts to be asked without it`;
    return new TransientError(`${place}: no answer: ${connectionProblem(error)}${through}`);
  }

  private refusal(path: string, { status }: Response, body: string): ServerError {
    const own = errorMessage(body) || "no message";
    const isShared = /Context size has been exceeded/.test(own);
    const hint = "; its slots share one context: start llama-server with --parallel N --ctx-size N times as large";
    const message = `${this.url}/${path}: error ${status}: ${own}${isShared ? hint : ""}`;
    // A server that is still loading answers 503, one that lacks a feature may answer 500 or 501 and would again.
    const lasting =
      status === 501 || (status === 500 && /not supported|unsupported|only no |validation error/i.test(body));
    const transient = (status >= 500 && !lasting) || status === 429 || status === 408;
    return transient ? new TransientError(message) : new ServerError(message);
  }

  private parse(path: string, text: string, contentType: string | null = null): unknown {
    try {
      return JSON.parse(text);
    } catch {
      const place = `${this.url}/${path}`;
      if (contentType?.includes("html") || /^\s*</.test(text)) {
        throw new ServerError(`${place}: the answer is a web page, not JSON: ${quote(text)}`);
      }
      throw new TransientError(`${place}: the answer is not whole JSON (${text.length} characters): ${quote(text)}`);
    }
  }
}
