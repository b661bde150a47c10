/**
 * GGUF files behind OpenAI's HTTP interface. Callers at once decode in one pass over the weights, and every answer has the
 * bits that it would have alone.
 */
import { randomUUID, timingSafeEqual } from "node:crypto";
import path from "node:path";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { UserError } from "../../src/errors/user_error.ts";
import { type LoadModelOptions, loadModel } from "../inference/text_model.ts";
import { ApiError, asApiError } from "./api_error.ts";
import {
  chatRequest,
  completionRequest,
  detokenizeRequest,
  readBody,
  templateRequest,
  tokenizeRequest,
} from "./api_schemas.ts";
import { ChatCompletion, encodeChat, templateMessages } from "./chat_completions.ts";
import { chatPage } from "./chat_page.ts";
import { Completion } from "./completions.ts";
import { EventStream } from "./event_stream.ts";
import { ApiMetrics } from "./metrics.ts";
import { ServedModel } from "./served_model.ts";

/** The server cannot start. */
export class ServeError extends UserError {
  override name = "ServeError";
}

export interface ServedFile extends LoadModelOptions {
  file: string;
}

export interface ServeOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 8080; 0 for a free one. */
  port?: number;
  /** Callers must send it as `Authorization: Bearer KEY`. Default: nobody is asked. */
  apiKey?: string;
  /** Generations of a model that run at once; default 8. */
  slots?: number;
  /** Generations of a model that may wait for a slot; default 256. */
  queue?: number;
  /** Positions of a slot; default and most: the model's context. */
  contextLength?: number;
  /** Bytes of a request's body; default 4 MiB. */
  bodyLimit?: number;
  /** Seconds that an answer may take, the wait for a slot included; default 600. */
  timeout?: number;
  /** Hears of errors that are ours. */
  onError?(error: unknown): void;
}

const loopback = new Set(["127.0.0.1", "localhost", "::1"]);
/** Milliseconds that a caller has for the head, and for all, of a request. */
const headTimeout = 10_000;
const bodyTimeout = 30_000;
/** Milliseconds for the last words to those whose answers are broken off. */
const farewell = 500;
/** Seconds that answers in progress have when the server is stopped. */
const graceSeconds = 10;

export class Server {
  readonly url: string;
  readonly models: readonly ServedModel[];
  readonly #app: FastifyInstance;
  readonly #stopping: AbortController;

  private constructor(url: string, models: readonly ServedModel[], app: FastifyInstance, stopping: AbortController) {
    this.url = url;
    this.models = models;
    this.#app = app;
    this.#stopping = stopping;
  }

  /**
   * Loads the files and listens. A model's id is its file name without `.gguf`.
   * @throws {ModelFileError}, {ServeError} if two files have one name, or the address is taken
   */
  static async start(files: readonly ServedFile[], options: ServeOptions = {}): Promise<Server> {
    const { host = "127.0.0.1", port = 8080 } = options;
    const models = await loadAll(files, options);
    const stopping = new AbortController();
    const app = application(models, options, stopping.signal);
    try {
      const address = await app.listen({ host, port });
      return new Server(`${address}/`, models, app, stopping);
    } catch (error) {
      await app.close();
      for (const model of models) model.dispose();
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE") throw new ServeError(`${host}:${port} is in use: choose another port`);
      if (code === "EACCES") throw new ServeError(`${host}:${port}: not allowed`);
      if (code === "ENOTFOUND" || code === "EADDRNOTAVAIL") throw new ServeError(`${host}: no such address here`);
      throw Object.assign(new Error(message), { cause: error });
    }
  }

  /** Takes no more requests, lets those in progress end for a while, breaks off the rest, and frees the models. */
  async stop(seconds = graceSeconds): Promise<void> {
    const overdue = setTimeout(() => {
      this.#stopping.abort(new ApiError(503, "the server is shutting down"));
      // What is open then is a request that does not come to its end, or an answer that nobody takes.
      closing = setTimeout(() => this.#app.server.closeAllConnections(), farewell);
    }, seconds * 1000);
    let closing: NodeJS.Timeout | undefined;
    // A connection that a caller keeps open for more requests is idle as soon as its answer has ended.
    const sweep = setInterval(() => this.#app.server.closeIdleConnections(), 50);
    await this.#app.close();
    clearTimeout(overdue);
    clearTimeout(closing);
    clearInterval(sweep);
    for (const model of this.models) model.dispose();
  }
}

async function loadAll(files: readonly ServedFile[], options: ServeOptions): Promise<ServedModel[]> {
  const { slots = 8, queue = 256 } = options;
  const ids = files.map(({ file }) => path.basename(file).replace(/\.gguf$/, ""));
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw new ServeError(`two files are called ${twice}: a model's id is its file name`);
  const models: ServedModel[] = [];
  try {
    for (const [i, { file, ...how }] of files.entries()) {
      const model = await loadModel(file, how);
      const contextLength = Math.min(options.contextLength ?? model.contextLength, model.contextLength);
      models.push(new ServedModel(ids[i], model, { slots, queue, contextLength }));
    }
    return models;
  } catch (error) {
    for (const model of models) model.dispose();
    throw error;
  }
}

function application(models: readonly ServedModel[], options: ServeOptions, stopping: AbortSignal): FastifyInstance {
  const { host = "127.0.0.1", apiKey, bodyLimit = 4 << 20, timeout = 600, onError } = options;
  const metrics = new ApiMetrics(models);
  const app = fastify({
    bodyLimit,
    forceCloseConnections: "idle",
    requestTimeout: bodyTimeout,
    http: { headersTimeout: headTimeout },
    routerOptions: { ignoreTrailingSlash: true },
  });
  // A page of another site can send text/plain without asking.
  app.removeContentTypeParser("text/plain");

  app.addHook("onRequest", async (request) => {
    if (loopback.has(host)) checkHost(request.headers.host);
    if (apiKey !== undefined && needsKey(request)) checkKey(request.headers.authorization, apiKey);
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    metrics.requests.inc({ route, status: reply.statusCode });
    metrics.seconds.observe({ route }, reply.elapsedTime / 1000);
  });
  app.setNotFoundHandler((request, reply) => {
    const { method, url } = request;
    return reply.code(404).send(new ApiError(404, `no such route: ${method} ${url.split("?")[0]}`).body());
  });
  app.setErrorHandler((error, _, reply) => {
    const api = clientError(error);
    if (api.status === 500) onError?.(error);
    if (api.status === 503) reply.header("retry-after", "1");
    return reply.code(api.status).send(api.body());
  });

  const byId = new Map(models.map((model) => [model.id, model]));
  const modelOf = (name: string | null | undefined): ServedModel => {
    const model = name === null || name === undefined ? (models.length === 1 ? models[0] : undefined) : byId.get(name);
    if (model !== undefined) return model;
    const known = [...byId.keys()].join(", ");
    if (name === null || name === undefined)
      throw new ApiError(400, `model is missing: one of ${known}`, { param: "model" });
    throw new ApiError(404, `no model ${name} here, only ${known}`, { param: "model", code: "model_not_found" });
  };

  /** Runs an answer until it ends, its caller leaves, its time is over or the server stops. */
  const respond = async (
    request: FastifyRequest,
    reply: FastifyReply,
    isStream: boolean,
    prepare: (
      id: string,
      signal: AbortSignal,
    ) => {
      answer(metrics: ApiMetrics): Promise<object>;
      stream(events: EventStream, metrics: ApiMetrics): Promise<void>;
    },
  ) => {
    const gone = new AbortController();
    const overdue = setTimeout(() => gone.abort(new ApiError(504, `no end after ${timeout} seconds`)), timeout * 1000);
    request.raw.socket.once("close", onClose);
    function onClose() {
      gone.abort(new ApiError(499, "the caller has left"));
    }
    const signal = AbortSignal.any([gone.signal, stopping]);
    let events: EventStream | undefined;
    try {
      const work = prepare(randomUUID().replaceAll("-", ""), signal);
      if (!isStream) return await work.answer(metrics);
      reply.hijack();
      events = new EventStream(reply.raw, signal);
      await work.stream(events, metrics);
      await events.end();
    } catch (error) {
      if (events === undefined) throw error;
      const api = clientError(error);
      if (api.status === 500) onError?.(error);
      events.fail(api.body());
    } finally {
      clearTimeout(overdue);
      request.raw.socket.off("close", onClose);
    }
  };

  app.get("/", async (_, reply) => {
    return reply.type("text/html; charset=utf-8").send(chatPage(models.map(({ id }) => id)));
  });
  app.get("/health", async () => ({ status: "ok" }));
  app.get("/metrics", async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  const listed = ({ id, created, limits: { contextLength } }: ServedModel) => {
    return { id, object: "model", created, owned_by: "bitnet-lab", max_model_len: contextLength };
  };
  app.get("/v1/models", async () => ({ object: "list", data: models.map(listed) }));
  app.get<{ Params: { id: string } }>("/v1/models/:id", async ({ params }) => listed(modelOf(params.id)));
  app.post("/v1/completions", async (request, reply) => {
    const body = readBody(completionRequest, request.body);
    return respond(request, reply, body.stream ?? false, (id, signal) => {
      return new Completion(modelOf(body.model), body, id, signal);
    });
  });
  app.post("/v1/chat/completions", async (request, reply) => {
    const body = readBody(chatRequest, request.body);
    return respond(request, reply, body.stream ?? false, (id, signal) => {
      return new ChatCompletion(modelOf(body.model), body, id, signal);
    });
  });
  app.post("/tokenize", async (request) => {
    const body = readBody(tokenizeRequest, request.body);
    const served = modelOf(body.model);
    const text = body.prompt ?? body.content;
    if (text === undefined && !body.messages) throw new ApiError(400, "prompt, content or messages is missing");
    const tokens = body.messages
      ? encodeChat(served, { ...body, messages: body.messages })
      : (body.add_special_tokens ?? body.add_special ?? true)
        ? served.model.encode(text!)
        : served.model.tokenizer.encode(text!, { addSpecialTokens: false });
    return { tokens, count: tokens.length, max_model_len: served.limits.contextLength };
  });
  app.post("/detokenize", async (request) => {
    const { model, tokens } = readBody(detokenizeRequest, request.body);
    const text = modelOf(model).model.tokenizer.decode(tokens, { skipSpecialTokens: false });
    return { prompt: text, content: text };
  });
  app.post("/apply-template", async (request) => {
    const body = readBody(templateRequest, request.body);
    const prompt = modelOf(body.model).model.chatTemplate.render(templateMessages(body.messages), {
      tools: body.tools?.length ? body.tools : null,
      addGenerationPrompt: body.add_generation_prompt ?? true,
      variables: body.chat_template_kwargs ?? {},
    });
    return { prompt };
  });
  return app;
}

/** A page that has another name lead to this address must not reach a server that listens for this machine alone. */
function checkHost(given: string | undefined): void {
  const name = (given ?? "").replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  if (loopback.has(name)) return;
  throw new ApiError(403, `this server answers to localhost, not ${JSON.stringify(name)}`);
}

/** What shows nothing of the models. */
const needsKey = ({ routeOptions, method }: FastifyRequest) =>
  !(method === "GET" && ["/", "/health"].includes(routeOptions.url ?? ""));

function checkKey(given: string | undefined, apiKey: string): void {
  const key = Buffer.from(given?.match(/^Bearer\s+(.*)$/i)?.[1] ?? "");
  const expected = Buffer.from(apiKey);
  if (key.length === expected.length && timingSafeEqual(key, expected)) return;
  const message = given === undefined ? "an API key is needed: Authorization: Bearer KEY" : "the API key is wrong";
  throw new ApiError(401, message, { code: "invalid_api_key" });
}

/** What the HTTP side says of a request that it could not read, and everything else that went wrong. */
function clientError(error: unknown): ApiError {
  const api = asApiError(error);
  if (api !== null) return api;
  const { statusCode, message, name } = error as { statusCode?: number; message: string; name?: string };
  if (name === "AbortError" && (error as Error).cause instanceof ApiError) return (error as { cause: ApiError }).cause;
  if (statusCode !== undefined && statusCode < 500) return new ApiError(statusCode, message);
  return new ApiError(500, "something went wrong here; the server's log says what");
}
