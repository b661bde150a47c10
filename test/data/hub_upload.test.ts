/** What is uploaded arrives: small files with the commit, large ones by way of LFS. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { uploadModel } from "../../src/data/hub_upload.ts";
import { temporaryFolder } from "../training/data/temporary_folder.ts";
import { HubServer } from "./hub_server.ts";

async function start() {
  const server = await HubServer.start({ files: {}, type: "model", token: "hf_write" });
  onTestFinished(() => server.stop());
  const folder = temporaryFolder();
  return { server, folder, env: { HF_HOME: folder, HF_ENDPOINT: server.endpoint, HF_TOKEN: "hf_write" } };
}

test("a folder, then a file into the repository that is there now", async () => {
  const { server, folder, env } = await start();
  const model = path.join(folder, "model");
  mkdirSync(path.join(model, "more"), { recursive: true });
  const weights = Buffer.alloc(300_000, "weights");
  writeFileSync(path.join(model, "config.json"), '{"a": 1}');
  writeFileSync(path.join(model, "more/x.jinja"), "{{ x }}");
  writeFileSync(path.join(model, "model.safetensors"), weights);
  const progress: number[][] = [];
  const done = await uploadModel("me/model", model, { env, onProgress: (...state) => progress.push(state) });
  expect(done).toMatchObject({ url: `${server.endpoint}/me/model`, commit: expect.stringMatching(/^[0-9a-f]{40}$/) });
  expect([...done.files].sort()).toEqual(["config.json", "model.safetensors", "more/x.jinja"]);
  expect(progress.at(-1)).toEqual([weights.length, weights.length]);
  const arrived = (file: string) => server.uploads.files.get(`me/model/${file}`);
  expect(arrived("config.json")?.toString()).toBe('{"a": 1}');
  expect(arrived("more/x.jinja")?.toString()).toBe("{{ x }}");
  expect(arrived("model.safetensors")?.equals(weights)).toBe(true);

  const gguf = path.join(folder, "small.gguf");
  writeFileSync(gguf, "GGUF");
  await uploadModel("me/model", gguf, { env });
  expect(arrived("small.gguf")?.toString()).toBe("GGUF");
});

test("through a proxy, large files too", async () => {
  const { server, folder, env } = await start();
  const asked: string[] = [];
  const { port } = new URL(server.endpoint);
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const { method, headers, url } = request;
    const path = url!.replace(/^http:\/\/[^/]+/, "");
    const forwarded = send({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forwarded);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const gguf = path.join(folder, "large.gguf");
  const content = Buffer.alloc(500_000, "large");
  writeFileSync(gguf, content);
  await uploadModel("me/far", gguf, { env: { ...env, HF_ENDPOINT: "http://hub.invalid", http_proxy } });
  expect(server.uploads.files.get("me/far/large.gguf")?.equals(content)).toBe(true);
  expect(asked[0]).toBe("POST http://hub.invalid/api/repos/create");
  expect(asked.some((line) => /^PUT .*\/storage\//.test(line))).toBe(true);
});

test("what is missing is one line", async () => {
  const { folder, env } = await start();
  const fails = (more: Record<string, string>, message: string, name = "me/model") =>
    expect(uploadModel(name, folder, { env: { ...env, ...more } })).rejects.toThrow(message);
  await fails({ HF_TOKEN: "" }, "upload to me/model: it needs a token that may write: set HF_TOKEN");
  await fails({ HF_TOKEN: "hf_read" }, "access denied (401): the token in HF_TOKEN is not allowed to write there");
  await fails({ HF_HUB_OFFLINE: "1" }, "upload to me/model: HF_HUB_OFFLINE is set");
  await fails({}, "upload to model: not owner/name", "model");
});
