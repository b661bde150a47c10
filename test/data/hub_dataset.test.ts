import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { fetchHubDataset } from "../../src/data/hub_dataset.ts";
import { declaredConfigs, parseHubDatasetId, selectFiles } from "../../src/data/hub_selection.ts";
import { byteLevelTokenizer } from "../../src/tokenizer/byte_level_tokenizer.ts";
import { prepareDataset } from "../../training/data/prepare_dataset.ts";
import { temporaryFolder } from "../training/data/temporary_folder.ts";
import { HubServer, type HubServerOptions } from "./hub_server.ts";

const files = {
  "README.md": "# A corpus\n",
  "data/train-00000-of-00002.jsonl": `${JSON.stringify({ text: "first document of the hub" })}\n`.repeat(50),
  "data/train-00001-of-00002.jsonl": `${JSON.stringify({ text: "second file" })}\n`.repeat(200_000),
  "data/test-00000-of-00001.jsonl": `${JSON.stringify({ text: "never trained on" })}\n`,
};

async function start(options: Partial<HubServerOptions> = {}): Promise<HubServer> {
  const server = await HubServer.start({ files, ...options });
  onTestFinished(() => server.stop());
  return server;
}

const id = (text: string) => parseHubDatasetId(text)!;

describe("fetchHubDataset", () => {
  it("downloads the training split into the cache layout of the Hub", async () => {
    const server = await start();
    const home = temporaryFolder();
    const env = { HF_HOME: home, HF_ENDPOINT: `${server.endpoint}/` };
    const progress: number[][] = [];
    const local = await fetchHubDataset(id("owner/corpus"), { env, onProgress: (...state) => progress.push(state) });
    const folder = path.join(home, "hub/datasets--owner--corpus");
    const snapshot = path.join(folder, "snapshots", server.commit);
    expect(local).toEqual([
      path.join(snapshot, "data/train-00000-of-00002.jsonl"),
      path.join(snapshot, "data/train-00001-of-00002.jsonl"),
    ]);
    expect(readFileSync(local[1], "utf8")).toBe(files["data/train-00001-of-00002.jsonl"]);
    expect(lstatSync(local[0]).isSymbolicLink()).toBe(true);
    expect(readFileSync(path.join(folder, "refs/main"), "utf8")).toBe(server.commit);
    expect(
      readdirSync(path.join(folder, "blobs"))
        .map((name) => name.length)
        .sort(),
    ).toEqual([40, 40, 64]);
    expect(existsSync(path.join(snapshot, "data/test-00000-of-00001.jsonl"))).toBe(false);
    const total = files["data/train-00000-of-00002.jsonl"].length + files["data/train-00001-of-00002.jsonl"].length;
    expect(progress.at(-1)).toEqual([total, total]);

    // Everything is there: another call downloads no file.
    server.requests.length = 0;
    expect(await fetchHubDataset(id("owner/corpus"), { env })).toEqual(local);
    expect(server.requests.filter((request) => request.includes("/resolve/"))).toEqual([]);
  });

  it("works from the cache alone under HF_HUB_OFFLINE", async () => {
    const server = await start();
    const cache = temporaryFolder();
    const env = { HF_HUB_CACHE: cache, HF_ENDPOINT: server.endpoint };
    const local = await fetchHubDataset(id("owner/corpus@v2:test"), { env });
    server.requests.length = 0;
    const offline = { ...env, HF_HUB_OFFLINE: "1" };
    expect(await fetchHubDataset(id("owner/corpus@v2:test"), { env: offline })).toEqual(local);
    expect(server.requests).toEqual([]);
    await expect(fetchHubDataset(id("owner/other"), { env: offline })).rejects.toThrow(
      `data set owner/other: not in the cache ${cache}, and HF_HUB_OFFLINE is set`,
    );
  });

  it("takes a download up where the connection broke", async () => {
    const server = await start({ breakConnections: 3 });
    const env = { HF_HOME: temporaryFolder(), HF_ENDPOINT: server.endpoint };
    const [, local] = await fetchHubDataset(id("owner/corpus"), { env });
    expect(readFileSync(local, "utf8")).toBe(files["data/train-00001-of-00002.jsonl"]);
    const size = files["data/train-00001-of-00002.jsonl"].length;
    expect(server.requests.some((request) => new RegExp(`bytes=[1-9]\\d+-${size - 1}$`).test(request))).toBe(true);
  });

  it("tries again after a server error, and gives up in the end", async () => {
    const server = await start({ failures: 2 });
    const env = { HF_HOME: temporaryFolder(), HF_ENDPOINT: server.endpoint };
    expect(await fetchHubDataset(id("owner/corpus:data/test*"), { env })).toHaveLength(1);
    const broken = await start({ failures: 1000 });
    const other = { HF_HOME: temporaryFolder(), HF_ENDPOINT: broken.endpoint };
    await expect(fetchHubDataset(id("owner/corpus"), { env: other })).rejects.toThrow(/answered 503/);
  });

  it("sends the token, of the environment or of the file that a login leaves", async () => {
    const server = await start({ token: "hf_secret" });
    const home = temporaryFolder();
    const env = { HF_HOME: home, HF_ENDPOINT: server.endpoint };
    const fetchWith = (more: Record<string, string>) =>
      fetchHubDataset(id("owner/corpus:test"), { env: { ...env, ...more } });
    await expect(fetchWith({})).rejects.toThrow(
      "data set owner/corpus: access denied (401): it does not exist or needs a token: set HF_TOKEN",
    );
    await expect(fetchWith({ HF_TOKEN: "hf_wrong" })).rejects.toThrow(
      "the token in HF_TOKEN is not allowed to read it",
    );
    expect(await fetchWith({ HF_TOKEN: "hf_secret" })).toHaveLength(1);
    writeFileSync(path.join(home, "token"), "hf_secret\n");
    expect(await fetchWith({ HF_HUB_CACHE: path.join(home, "elsewhere") })).toHaveLength(1);
  });

  it("says in one line what is wrong", async () => {
    const server = await start();
    const env = { HF_HOME: temporaryFolder(), HF_ENDPOINT: server.endpoint };
    const fails = (name: string, message: string | RegExp, more = {}) =>
      expect(fetchHubDataset(id(name), { env: { ...env, ...more } })).rejects.toThrow(message);
    await fails("owner/nothing", `data set owner/nothing: not found at ${server.endpoint} (revision main)`);
    await fails("owner/corpus@v9", `data set owner/corpus: not found at ${server.endpoint} (revision v9)`);
    await fails("owner/corpus:*.parquet", /no readable file matches "\*\.parquet" \(there are: data\/train-00000-of/);
    await fails(
      "owner/corpus",
      "cannot reach http://127.0.0.1:1: bad port; HF_ENDPOINT names a mirror, HF_HUB_OFFLINE=1",
      { HF_ENDPOINT: "http://127.0.0.1:1" },
    );
  });

  it("does not let a file name lead out of the cache", async () => {
    const server = await start({ files: { "../../../evil.txt": "x" } });
    const env = { HF_HOME: temporaryFolder(), HF_ENDPOINT: server.endpoint };
    await expect(fetchHubDataset(id("owner/corpus"), { env })).rejects.toThrow('bad path "../../../evil.txt"');
  });

  it("feeds a training set", async () => {
    const server = await start();
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, "home"));
    const dataset = await prepareDataset({
      sources: ["owner/corpus:data/train-00000*"],
      tokenizer: byteLevelTokenizer(),
      cacheDirectory: path.join(folder, "tokens"),
      sequenceLength: 16,
      hub: { env: { HF_HOME: path.join(folder, "home"), HF_ENDPOINT: server.endpoint } },
    });
    expect(dataset).toMatchObject({ documents: 50, bytes: 50 * "first document of the hub".length });
    await dataset.close();
  });
});

describe("selectFiles", () => {
  const readme = [
    "---",
    "license: mit",
    "configs:",
    "- config_name: small",
    "  data_files: small/*.parquet",
    "- config_name: full",
    "  default: true",
    "  data_files:",
    "  - split: train",
    "    path: [full/a.parquet, full/b-*.parquet]",
    "  - split: test",
    "    path: full/held_out.parquet",
    "---",
    "# Title",
  ].join("\n");
  const listing = [
    "README.md",
    "small/0.parquet",
    "full/a.parquet",
    "full/b-1.parquet",
    "full/held_out.parquet",
    "x.bin",
  ];
  const select = (text: string, names: string[] = listing, header: string | null = readme) =>
    selectFiles(id(text), names, header);

  it("follows the configurations of the README", () => {
    expect(select("o/n")).toEqual(["full/a.parquet", "full/b-1.parquet"]);
    expect(select("o/n:test")).toEqual(["full/held_out.parquet"]);
    expect(select("o/n:full/test")).toEqual(["full/held_out.parquet"]);
    expect(select("o/n:small")).toEqual(["small/0.parquet"]);
    expect(select("o/n:**/*.parquet")).toHaveLength(4);
    expect(select("o/n:full/a.parquet")).toEqual(["full/a.parquet"]);
    expect(() => select("o/n:dev")).toThrow(
      'data set o/n: no configuration or split "dev" (there are: small/train, full/train, full/test)',
    );
  });

  it("goes by file names without them", () => {
    const names = ["en/train-0.parquet", "en/validation-0.parquet", "de/train/0000.parquet", "README.md", "stats.json"];
    expect(select("o/n", names, null)).toEqual(["de/train/0000.parquet", "en/train-0.parquet"]);
    expect(select("o/n:en", names, null)).toEqual(["en/train-0.parquet", "en/validation-0.parquet"]);
    expect(select("o/n:en/validation", names, null)).toEqual(["en/validation-0.parquet"]);
    expect(select("o/n", ["b.txt", "a.txt", "LICENSE.txt"], null)).toEqual(["a.txt", "b.txt"]);
    expect(() => select("o/n", ["model.bin"], null)).toThrow(
      /no readable file; its Parquet copy may be at o\/n@refs\/convert\/parquet/,
    );
  });

  it("takes one format of several, the most frequent, and no descriptions", () => {
    const names = ["a.parquet", "a.csv", "dataset_infos.json", ".hidden/b.parquet", "c.txt", "d.txt~"];
    expect(select("o/n", names, null)).toEqual(["a.parquet"]);
    expect(select("o/n", ["a.parquet", "a.csv", "b.csv"], null)).toEqual(["a.csv", "b.csv"]);
    expect(select("o/n:*.csv", ["a.parquet", "a.csv"], null)).toEqual(["a.csv"]);
  });

  it("ignores a header that is not about files", () => {
    expect(declaredConfigs("no header")).toEqual([]);
    expect(declaredConfigs("---\nlicense: mit\n---\n")).toEqual([]);
    expect(declaredConfigs("---\n: [broken\n---\n")).toEqual([]);
    expect(declaredConfigs("---\nconfigs:\n- config_name: x\n---\n")).toEqual([]);
  });
});

describe("parseHubDatasetId", () => {
  it.each([
    ["owner/name", "owner/name", "main", null],
    ["roneneldan/TinyStories:train", "roneneldan/TinyStories", "main", "train"],
    ["o/n@refs/convert/parquet:default/train", "o/n", "refs/convert/parquet", "default/train"],
  ])("%s", (text, name, revision, selector) => {
    expect(parseHubDatasetId(text)).toEqual({ name, revision, selector });
  });

  it.each(["name", "/owner/name", "a/b/c", "owner/", "../name", "owner/na me"])("not %s", (text) => {
    expect(parseHubDatasetId(text)).toBeNull();
  });
});
