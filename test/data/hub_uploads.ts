/**
 * The Hub's routes for uploads: a repository is made, large files (*.gguf, *.safetensors) go to the storage of LFS by
 * their SHA-256, the others come with the commit.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

export class HubUploads {
  /** Names of the repositories that were made, or that there are. */
  readonly repositories = new Set<string>();
  /** `owner/name/path` of each committed file. */
  readonly files = new Map<string, Buffer>();
  private readonly storage = new Map<string, Buffer>();

  async answer(route: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    // As it was asked for: a proxy may know it by another name.
    const endpoint = `http://${request.headers.host}`;
    const body = await buffer(request);
    const send = (status: number, json: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    if (route === "/api/repos/create") {
      const { name, organization } = JSON.parse(body.toString());
      const id = `${organization}/${name}`;
      if (this.repositories.has(id)) return void send(409, { error: "You already created this model repo" });
      this.repositories.add(id);
      return void send(200, { url: `${endpoint}/${id}`, id });
    }
    const stored = /^\/storage\/([0-9a-f]{64})$/.exec(route)?.[1];
    if (stored !== undefined) {
      const isRight = createHash("sha256").update(body).digest("hex") === stored;
      if (isRight) this.storage.set(stored, body);
      return void send(isRight ? 200 : 400, {});
    }
    const [, name, action] =
      /^(?:\/api\/models)?\/([^/]+\/[^/]+?)(?:\/|\.git\/)(preupload\/main|info\/lfs\/objects\/batch|commit\/main)$/.exec(
        route,
      ) ?? [];
    if (name === undefined || !this.repositories.has(name)) return void send(404, { error: "Repository not found" });
    if (action === "commit/main") return void send(200, this.commit(name, body.toString()));
    const json = JSON.parse(body.toString());
    if (action === "preupload/main") {
      const uploadMode = (path: string) => (/\.(gguf|safetensors)$/.test(path) ? "lfs" : "regular");
      const files = json.files.map(({ path }: { path: string }) => ({ path, uploadMode: uploadMode(path) }));
      return void send(200, { files });
    }
    const objects = json.objects.map(({ oid, size }: { oid: string; size: number }) => ({
      oid,
      size,
      ...(!this.storage.has(oid) && { actions: { upload: { href: `${endpoint}/storage/${oid}` } } }),
    }));
    send(200, { transfer: "basic", objects });
  }

  private commit(name: string, lines: string): unknown {
    for (const line of lines.trim().split("\n")) {
      const { key, value } = JSON.parse(line);
      if (key === "file") this.files.set(`${name}/${value.path}`, Buffer.from(value.content, value.encoding));
      if (key === "lfsFile") this.files.set(`${name}/${value.path}`, this.storage.get(value.oid)!);
    }
    const commitOid = createHash("sha1").update(lines).digest("hex");
    return { success: true, commitOid, commitUrl: `/${name}/commit/${commitOid}`, hookOutput: "" };
  }
}
