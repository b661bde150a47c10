/**
 * A local server that speaks the Hugging Face Hub's routes for one data set or model: repository info, file tree (paged),
 * and `resolve` with ETag and ranges. It can ask for a token, break connections and send wrong bytes. Uploads: see
 * hub_uploads.ts.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HubUploads } from "./hub_uploads.ts";

export interface HubServerOptions {
  files: Record<string, string | Uint8Array>;
  name?: string;
  type?: "dataset" | "model";
  /** Requests without it are answered 401. */
  token?: string;
  /** How many long `resolve` answers are cut off after half of their bytes. */
  breakConnections?: number;
  /** A file of which zeros are sent. */
  damaged?: string;
  /** `resolve` answers 503 this often. */
  failures?: number;
}

/** 40 hexadecimal digits that change with the content, as a commit does. */
function commitOf(files: Record<string, Buffer>): string {
  const hash = createHash("sha1");
  for (const [name, content] of Object.entries(files)) hash.update(name).update(content);
  return hash.digest("hex");
}

export class HubServer {
  readonly requests: string[] = [];
  readonly commit: string;
  readonly uploads = new HubUploads();
  private readonly server: Server;
  private readonly files: Record<string, Buffer>;
  private readonly options: HubServerOptions;
  private breaks: number;
  private failures: number;

  private constructor(options: HubServerOptions) {
    this.options = options;
    this.files = Object.fromEntries(
      Object.entries(options.files).map(([name, content]) => [name, Buffer.from(content)]),
    );
    this.commit = commitOf(this.files);
    this.breaks = options.breakConnections ?? 0;
    this.failures = options.failures ?? 0;
    this.server = createServer((request, response) => this.answer(request, response));
  }

  static async start(options: HubServerOptions): Promise<HubServer> {
    const hub = new HubServer(options);
    await new Promise<void>((resolve) => hub.server.listen(0, "127.0.0.1", resolve));
    return hub;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, this.endpoint);
    const range = request.headers.range ?? "";
    this.requests.push(`${request.method} ${url.pathname} ${range}`.trim());
    const fail = (status: number, error: string, code?: string): void => {
      if (code) response.setHeader("X-Error-Code", code);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error }));
    };
    const { token, name = "owner/corpus", type = "dataset" } = this.options;
    // An address of storage is signed: it needs no token.
    const isStorage = url.pathname.startsWith("/storage/");
    if (token && !isStorage && request.headers.authorization !== `Bearer ${token}`) {
      fail(401, "Invalid username or password.");
      return;
    }
    const route = decodeURIComponent(url.pathname);
    if (request.method === "POST" || request.method === "PUT") {
      void this.uploads.answer(route, request, response);
      return;
    }
    if (route.startsWith(`/api/${type}s/${name}/revision/`)) {
      const revision = route.slice(`/api/${type}s/${name}/revision/`.length);
      if (!["main", "v2", this.commit].includes(revision)) {
        fail(404, "Invalid rev id");
        return;
      }
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ _id: "1", id: name, sha: this.commit, lastModified: "2026-01-01T00:00:00Z" }));
      return;
    }
    if (route === `/api/${type}s/${name}/tree/${this.commit}`) {
      this.tree(url, response);
      return;
    }
    const prefix = `/${type === "dataset" ? "datasets/" : ""}${name}/resolve/${this.commit}/`;
    if (route.startsWith(prefix)) {
      this.resolve(route.slice(prefix.length), range, request, response, fail);
      return;
    }
    fail(404, "Repository not found");
  }

  private tree(url: URL, response: ServerResponse): void {
    const entries = Object.entries(this.files).map(([name, content], i) => ({
      type: "file",
      path: name,
      size: content.length,
      oid: createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex"),
      ...(i % 2 === 1 && { lfs: { oid: createHash("sha256").update(content).digest("hex"), size: content.length } }),
    }));
    // Two entries a page: the client must follow the links.
    const start = Number(url.searchParams.get("cursor") ?? 0);
    if (start + 2 < entries.length) {
      url.searchParams.set("cursor", String(start + 2));
      response.setHeader("Link", `<${url.href}>; rel="next"`);
    }
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify(entries.slice(start, start + 2)));
  }

  private resolve(
    name: string,
    range: string,
    request: IncomingMessage,
    response: ServerResponse,
    fail: (status: number, error: string, code?: string) => void,
  ): void {
    const content = this.options.damaged === name ? Buffer.alloc(this.files[name].length) : this.files[name];
    if (!content) {
      fail(404, "Entry not found", "EntryNotFound");
      return;
    }
    if (this.failures > 0) {
      this.failures--;
      fail(503, "Service Unavailable");
      return;
    }
    response.setHeader("ETag", `"${createHash("sha1").update(content).digest("hex")}"`);
    response.setHeader("Accept-Ranges", "bytes");
    const [, from, to] = /bytes=(\d+)-(\d*)/.exec(range) ?? [];
    const start = from === undefined ? 0 : Number(from);
    const end = to ? Math.min(Number(to) + 1, content.length) : content.length;
    const body = content.subarray(start, end);
    if (from !== undefined) response.setHeader("Content-Range", `bytes ${start}-${end - 1}/${content.length}`);
    response.writeHead(from === undefined ? 200 : 206, { "content-length": body.length });
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    if (this.breaks > 0 && body.length > 100_000) {
      this.breaks--;
      response.write(body.subarray(0, body.length >> 1), () => setTimeout(() => response.destroy(), 20));
      return;
    }
    response.end(body);
  }
}
