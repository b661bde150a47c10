/** Tokenizers named by the id of a model on the Hub. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { localTokenizer } from "../../src/data/hub_tokenizer.ts";
import { byteLevelTokenizer } from "../../src/tokenizer/byte_level_tokenizer.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";
import { temporaryFolder } from "../training/data/temporary_folder.ts";
import { HubServer } from "./hub_server.ts";

async function start(files: Record<string, string>) {
  const server = await HubServer.start({ files, name: "owner/model-1B", type: "model" });
  onTestFinished(() => server.stop());
  const home = temporaryFolder();
  return { server, home, env: { HF_HOME: home, HF_ENDPOINT: server.endpoint } };
}

test("the tokenizer's files are downloaded once, the weights never", async () => {
  const { server, home, env } = await start({
    "tokenizer.json": JSON.stringify(byteLevelTokenizer().json),
    "tokenizer_config.json": '{"chat_template": "{{ messages }}"}',
    "config.json": "{}",
    "model.safetensors": "weights",
  });
  const folder = await localTokenizer("owner/model-1B", { env });
  expect(folder).toBe(path.join(home, "hub/models--owner--model-1B/snapshots", server.commit));
  expect(readdirSync(folder).sort()).toEqual(["config.json", "tokenizer.json", "tokenizer_config.json"]);
  expect(loadTokenizer(folder).config?.chat_template).toBe("{{ messages }}");
  server.requests.length = 0;
  expect(await localTokenizer("owner/model-1B", { env })).toBe(folder);
  expect(await localTokenizer(folder, { env })).toBe(folder);
  expect(server.requests).toEqual([]);
});

test("paths stay paths; what is not there is one line", async () => {
  const { env } = await start({ "README.md": "nothing" });
  for (const file of ["a/tokenizer.json", "b/llama.gguf", "../x", "/no/such/folder"]) {
    expect(await localTokenizer(file, { env })).toBe(file);
  }
  await expect(localTokenizer("owner/model-1B", { env })).rejects.toThrow(
    "model owner/model-1B: it has no tokenizer.json",
  );
  await expect(localTokenizer("owner/other@v2", { env })).rejects.toThrow(
    /model owner\/other: not found at .* \(revision v2\)/,
  );
});
