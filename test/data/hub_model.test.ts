/** Models of the Hub: only what is needed is downloaded, resumed, and has the hash that the Hub names. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { fetchHubModel, modelFiles } from "../../src/data/hub_model.ts";
import { parseHubModelId } from "../../src/data/hub_model_id.ts";
import { temporaryFolder } from "../training/data/temporary_folder.ts";
import { HubServer, type HubServerOptions } from "./hub_server.ts";

const weights = "model-00001-of-00002.safetensors";
const files = {
  "config.json": "{}",
  "model-00002-of-00002.safetensors": "second",
  "README.md": "# Model",
  [weights]: "first".repeat(60_000),
  "model.safetensors.index.json": "{}",
  "tokenizer.json": '{"version": "1.0"}',
  "pytorch_model.bin": "pickle",
  "small-q8.gguf": "GGUF q8",
  "small-f16.gguf": "GGUF f16",
};

async function start(options: Partial<HubServerOptions> = {}) {
  const server = await HubServer.start({ files, name: "owner/model", type: "model", ...options });
  onTestFinished(() => server.stop());
  const home = temporaryFolder();
  return { server, home, env: { HF_HOME: home, HF_ENDPOINT: server.endpoint } };
}

const id = (text: string) => parseHubModelId(text)!;

describe("fetchHubModel", () => {
  it("downloads a checkpoint and its tokenizer, and nothing else", async () => {
    const { server, env } = await start();
    const folder = await fetchHubModel(id("owner/model@v2"), { env });
    expect(path.basename(folder)).toBe(server.commit);
    const needed = Object.keys(files).filter((file) => !/README|\.bin$|gguf$/.test(file));
    expect(readdirSync(folder).sort()).toEqual(needed.sort());
    expect(readFileSync(path.join(folder, weights), "utf8")).toBe(files[weights]);
    server.requests.length = 0;
    expect(await fetchHubModel(id("owner/model@v2"), { env: { ...env, HF_HUB_OFFLINE: "1" } })).toBe(folder);
    expect(server.requests).toEqual([]);
  });

  it("downloads one GGUF file", async () => {
    const { env } = await start();
    const file = await fetchHubModel(id("owner/model:small-q8.gguf"), { env });
    expect(readFileSync(file, "utf8")).toBe("GGUF q8");
    expect(readdirSync(path.dirname(file))).toEqual(["small-q8.gguf"]);
  });

  it("goes on where the connection broke", async () => {
    const { server, env } = await start({ breakConnections: 2 });
    const folder = await fetchHubModel(id("owner/model"), { env });
    expect(readFileSync(path.join(folder, weights), "utf8")).toBe(files[weights]);
    expect(server.requests.some((request) => /safetensors bytes=[1-9]\d+-299999$/.test(request))).toBe(true);
  });

  it.each(["tokenizer.json", weights])("refuses a %s with another hash, and keeps nothing of it", async (damaged) => {
    const { home, env } = await start({ damaged });
    await expect(fetchHubModel(id("owner/model"), { env })).rejects.toThrow(
      `model owner/model: what came of ${damaged} has another hash than the Hub names: thrown away`,
    );
    const folder = path.join(home, "hub/models--owner--model");
    expect(readdirSync(path.join(folder, "blobs")).filter((name) => name.endsWith(".incomplete"))).toEqual([]);
    expect(readdirSync(path.join(folder, "snapshots"), { recursive: true }).map(String)).not.toContainEqual(
      expect.stringContaining(damaged),
    );
  });

  it("says in one line what is wrong", async () => {
    const { server, home, env } = await start({ token: "hf_secret" });
    const fails = (name: string, message: string, more: Record<string, string> = { HF_TOKEN: "hf_secret" }) =>
      expect(fetchHubModel(id(name), { env: { ...env, ...more } })).rejects.toThrow(message);
    await fails("owner/model", "model owner/model: access denied (401): it does not exist or needs a token", {});
    await fails("owner/other", `model owner/other: not found at ${server.endpoint} (revision main)`);
    await fails("owner/model:x.gguf", "model owner/model: it has no file x.gguf");
    await fails("owner/model", `model owner/model: not in the cache ${home}/hub, and HF_HUB_OFFLINE is set`, {
      HF_HUB_OFFLINE: "1",
    });
  });
});

describe("modelFiles", () => {
  const select = (text: string, names: string[]) => modelFiles(id(text), names);
  const parts = ["a-00001-of-00002.gguf", "a-00002-of-00002.gguf"];

  it("takes all parts of a GGUF file", () => {
    expect(select("o/n", ["README.md", ...parts])).toEqual(parts);
    expect(select("o/n:a-00001-of-00002.gguf", [...parts, "b.gguf"])).toEqual(parts);
    expect(() => select("o/n", parts.slice(0, 1))).toThrow("model o/n: it has no file a-00002-of-00002.gguf");
  });

  it("does not choose between several", () => {
    expect(() => select("o/n", [...parts, "b.gguf"])).toThrow(
      "model o/n has 2 GGUF files: name one (owner/name:FILE): a-00001-of-00002.gguf, b.gguf",
    );
    expect(() => select("o/n", ["config.json", "pytorch_model.bin"])).toThrow("neither config.json with safetensors");
  });
});

it.each([
  ["o/n", "main", null],
  ["o/n@v1:a/b.gguf", "v1", "a/b.gguf"],
])("%s is the id of a model", (text, revision, file) => {
  expect(parseHubModelId(text)).toEqual({ name: "o/n", revision, file });
});

it.each(["n", "o/n:weights.bin", "../n", "o/n@"])("%s is none", (text) => {
  expect(parseHubModelId(text)).toBeNull();
});
