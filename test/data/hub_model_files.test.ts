/** Models on the Hub are looked into by ranges: headers and small files alone. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ggufName } from "../../src/checkpoint/gguf/tensor_names.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { openHubModel } from "../../src/data/hub_model_files.ts";
import { openFolderModel } from "../../src/inspect/open_folder.ts";
import { openGgufModel } from "../../src/inspect/open_gguf.ts";
import { tq2, writeHandModel } from "../inspect/made_files.ts";
import { HubServer } from "./hub_server.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-hub-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function served<T>(
  files: Record<string, Uint8Array>,
  look: (hub: HubServer, env: NodeJS.ProcessEnv) => Promise<T>,
) {
  const hub = await HubServer.start({ files, name: "owner/model", type: "model" });
  try {
    return await look(hub, { HF_ENDPOINT: hub.endpoint, HF_HOME: folder });
  } finally {
    await hub.stop();
  }
}

/** Bytes of the ranges of a file that were asked for. */
function bytesAsked(hub: HubServer, file: string): number {
  const ranges = hub.requests.flatMap((request) => {
    const [, first, last] = new RegExp(`${file} bytes=(\\d+)-(\\d+)`).exec(request) ?? [];
    return first === undefined ? [] : [Number(last) - Number(first) + 1];
  });
  return ranges.reduce((sum, bytes) => sum + bytes, 0);
}

describe("a model on the Hub", () => {
  it("as a folder of safetensors is known by its headers", async () => {
    const file = path.join(folder, "model.safetensors");
    const embedding = new Float32Array(3000 * 64);
    await writeSafetensors(file, [
      { name: "model.embed_tokens.weight", dtype: "F32", shape: [3000, 64], data: () => embedding },
      { name: "model.norm.weight", dtype: "F32", shape: [64], data: () => new Float32Array(64).fill(2) },
    ]);
    const config = { architectures: ["LlamaForCausalLM"], model_type: "llama", hidden_size: 64, vocab_size: 3000 };
    const files = { "model.safetensors": readFileSync(file), "config.json": Buffer.from(JSON.stringify(config)) };
    await served(files, async (hub, env) => {
      const model = await openFolderModel(await openHubModel("owner/model", "main", env), { ggufName });
      expect(model.facts).toMatchObject({ architecture: "LlamaForCausalLM", parameters: 3000 * 64 + 64 });
      const asked = bytesAsked(hub, "model.safetensors");
      expect(asked > 100 && asked < 2000, `${asked} bytes: ${hub.requests.join("; ")}`).toBe(true);
      const norm = model.tensors.find(({ role }) => role === "norm")!;
      expect(new Float32Array((await model.read(norm, 0, 8)).buffer)).toEqual(Float32Array.of(2, 2));
      await model.close();
    });
  });

  it("as a GGUF file gives what it is asked for", async () => {
    const file = writeHandModel(folder, "hub", { architecture: "bitnet", pack: tq2 });
    await served({ "hub.gguf": readFileSync(file) }, async (_, env) => {
      const hub = await openHubModel("owner/model", "main", env);
      const model = await openGgufModel("hub.gguf", (name) => hub.open(name));
      expect(model.facts).toMatchObject({ architecture: "bitnet", sizes: { layers: 1 }, faults: [] });
      await model.close();
      await expect(hub.open("absent.gguf")).rejects.toThrow(/model owner\/model: /);
    });
  });

  it("is refused in a line where it is not there, or nobody may be asked", async () => {
    await served({}, async (_, env) => {
      await expect(openHubModel("owner/other", "main", env)).rejects.toThrow(/^model owner\/other: /);
      const offline = openHubModel("owner/model", "main", { ...env, HF_HUB_OFFLINE: "1" });
      await expect(offline).rejects.toThrow("HF_HUB_OFFLINE is set: give a folder of its files");
    });
  });
});
