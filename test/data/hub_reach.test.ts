/** The Hub through proxies, offline, half in the cache, and not at all. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fetchHubDataset } from "../../src/data/hub_dataset.ts";
import { hubProblem } from "../../src/data/hub_problem.ts";
import { cachedOrFetched } from "../../src/data/hub_repository.ts";
import { parseHubDatasetId } from "../../src/data/hub_selection.ts";
import { hubSettings, offlineVariable } from "../../src/data/hub_settings.ts";
import { HubServer } from "./hub_server.ts";

const folder = mkdtempSync(path.join(tmpdir(), "hub-reach-"));
const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true })];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
let count = 0;
const home = () => path.join(folder, `home${count++}`);
const id = (text: string) => parseHubDatasetId(text)!;
const fetchWith = (env: Record<string, string>, text = "o/n") => fetchHubDataset(id(text), { env });

/** A proxy that notes what it is asked for; it knows one host, whatever its name. @param status answer instead */
async function startProxy(port: number, status = 200) {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const { pathname, search } = new URL(request.url!);
    fetch(`http://127.0.0.1:${port}${pathname}${search}`, { headers: { range: request.headers.range ?? "" } })
      .then(async (answer) => {
        const bytes = Buffer.from(await answer.arrayBuffer());
        const headers = ["etag", "link", "content-range", "content-type", "accept-ranges"].flatMap((name) => {
          const value = answer.headers.get(name);
          return value === null ? [] : [[name, value] as const];
        });
        response.writeHead(answer.status, Object.fromEntries(headers)).end(bytes);
      })
      .catch(() => response.destroy());
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url} ${request.headers["proxy-authorization"] ?? ""}`.trim());
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const target = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    target.on("error", () => socket.destroy());
    socket.on("error", () => target.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A snapshot of o/n in a cache that holds these files. */
function cacheWith(files: Record<string, string>): string {
  const cache = home();
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const repository = path.join(cache, "hub/datasets--o--n");
  for (const [name, text] of Object.entries({ ...files })) {
    const file = path.join(repository, "snapshots", commit, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  mkdirSync(path.join(repository, "refs"), { recursive: true });
  writeFileSync(path.join(repository, "refs/main"), commit);
  return cache;
}

describe("proxies", () => {
  it("a plain Hub is asked for through HTTP_PROXY, with files whole", async () => {
    const hub = await HubServer.start({ name: "o/n", files: { "train.jsonl": '{"text":"a"}\n' } });
    closing.push(() => hub.stop());
    const proxy = await startProxy(Number(new URL(hub.endpoint).port));
    const env = { HF_HOME: home(), HF_ENDPOINT: "http://hub.invalid", http_proxy: proxy.url };
    const files = await fetchWith(env);
    expect(files.map((file) => path.basename(file))).toEqual(["train.jsonl"]);
    expect(proxy.asked[0]).toMatch(/^GET http:\/\/hub\.invalid\/api\/datasets\/o\/n\/revision\/main\?/);
    const direct = { HF_HOME: home(), HF_ENDPOINT: "http://hub.invalid", http_proxy: proxy.url, no_proxy: ".invalid" };
    await expect(fetchWith(direct)).rejects.toThrow(/cannot reach http:\/\/hub\.invalid: .*HTTPS_PROXY names a proxy/);
  });

  it("TLS goes through a tunnel, with the name and the password of its address", async () => {
    const proxy = await startProxy(1, 403);
    const env = {
      HF_HOME: home(),
      HF_ENDPOINT: "https://hub.invalid",
      HTTPS_PROXY: proxy.url.replace("//", "//me:secret@"),
    };
    await expect(fetchWith(env)).rejects.toThrow(
      `data set o/n: cannot reach https://hub.invalid through the proxy ${proxy.url} (HTTPS_PROXY): it answered 403; NO_PROXY`,
    );
    expect(proxy.asked[0]).toBe(`CONNECT hub.invalid:443 Basic ${Buffer.from("me:secret").toString("base64")}`);
    const strict = await startProxy(1, 407);
    await expect(fetchWith({ ...env, HTTPS_PROXY: strict.url })).rejects.toThrow(
      /it wants a name and a password \(407\)/,
    );
  });

  it("what is no proxy is named", async () => {
    const env = { HF_HOME: home(), HF_ENDPOINT: "https://hub.invalid" };
    await expect(fetchWith({ ...env, ALL_PROXY: "socks5://p:1080" })).rejects.toThrow(
      "the proxy socks5://p:1080 (ALL_PROXY): only proxies of http:// and https:// can be used",
    );
    await expect(fetchWith({ ...env, HTTPS_PROXY: "http://" })).rejects.toThrow(/is not an address/);
    await expect(fetchWith({ ...env, HTTPS_PROXY: "http://127.0.0.1:1" })).rejects.toThrow(
      /through the proxy http:\/\/127\.0\.0\.1:1 \(HTTPS_PROXY\): nothing listens at this address/,
    );
  });
});

describe("offline", () => {
  it.each<["dataset" | "model", Record<string, string>, string | null]>([
    ["dataset", {}, null],
    ["dataset", { HF_HUB_OFFLINE: "1" }, "HF_HUB_OFFLINE"],
    ["dataset", { HF_DATASETS_OFFLINE: "true" }, "HF_DATASETS_OFFLINE"],
    ["dataset", { HF_DATASETS_OFFLINE: "0", HF_HUB_OFFLINE: "1" }, null],
    ["dataset", { TRANSFORMERS_OFFLINE: "yes" }, "TRANSFORMERS_OFFLINE"],
    ["model", { HF_DATASETS_OFFLINE: "1" }, null],
    ["model", { TRANSFORMERS_OFFLINE: "1" }, "TRANSFORMERS_OFFLINE"],
    ["model", { HF_HUB_OFFLINE: "0", TRANSFORMERS_OFFLINE: "1" }, null],
  ])("%s %j: %s", (type, env, variable) => {
    expect(offlineVariable(type, env)).toBe(variable);
  });

  it("names the variable", async () => {
    await expect(fetchWith({ HF_HOME: home(), HF_DATASETS_OFFLINE: "1" })).rejects.toThrow(
      /not in the cache .*, and HF_DATASETS_OFFLINE is set$/,
    );
  });
});

describe("half a data set in the cache", () => {
  const cache = cacheWith({
    "data/train-00000-of-00002.jsonl": '{"text":"a"}\n',
    "data/test-00000-of-00001.jsonl": "{}\n",
  });
  const offline = { HF_HOME: cache, HF_HUB_OFFLINE: "1" };

  it("is an error that names what is missing, unless it is not wanted", async () => {
    await expect(fetchWith(offline)).rejects.toThrow(
      "data set o/n: in the cache 1 of 2 shards of data/train-*-of-00002.jsonl is missing: " +
        "data/train-00001-of-00002.jsonl, and HF_HUB_OFFLINE is set",
    );
    await expect(fetchWith(offline, "o/n:data/train-*.jsonl")).rejects.toThrow(/1 of 2 shards/);
    expect(await fetchWith(offline, "o/n:test")).toHaveLength(1);
    expect(await fetchWith(offline, "o/n:data/train-00000-of-00002.jsonl")).toHaveLength(1);
  });

  it("is asked for at the Hub, and named if that cannot be reached", async () => {
    const env = { HF_HOME: cache, HF_ENDPOINT: "http://127.0.0.1:1" };
    const fetch = cachedOrFetched((options) => fetchHubDataset(id("o/n"), options), { env });
    await expect(fetch).rejects.toThrow(/is missing: data\/train-00001-of-00002\.jsonl; .*cannot reach http:\/\/127/);
  });
});

describe("why the Hub cannot be reached", () => {
  const reason = async (code: string, message: string, env: Record<string, string> = {}) => {
    const cause = Object.assign(new Error(message), { code });
    const error = new TypeError("fetch failed", { cause });
    const settings = await hubSettings("dataset", env);
    return (hubProblem("data set o/n", "main", settings, error) as Error).message;
  };

  it.each([
    [
      "ENOTFOUND",
      /cannot reach https:\/\/huggingface\.co: no such host; HTTPS_PROXY names a proxy, HF_ENDPOINT a mirror/,
    ],
    ["SELF_SIGNED_CERT_IN_CHAIN", /TLS: reason; NODE_EXTRA_CA_CERTS=FILE adds/],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /TLS: reason/],
    ["CERT_HAS_EXPIRED", /TLS: reason/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /TLS: reason/],
    ["UND_ERR_CONNECT_TIMEOUT", /no answer in time; HF_ENDPOINT names a mirror, HF_HUB_OFFLINE=1 uses/],
  ])("%s", async (code, message) => {
    expect(await reason(code, "reason")).toMatch(message);
  });

  it("the settings are those of the Python libraries", async () => {
    const env = { HF_HOME: "/h", HUGGING_FACE_HUB_TOKEN: " t ", HF_ENDPOINT: "https://mirror/" };
    expect(await hubSettings("model", env)).toMatchObject({ endpoint: "https://mirror", cache: "/h/hub", token: "t" });
    const inHome = await hubSettings("model", { HF_HOME: "~/hf" });
    expect(path.isAbsolute(inHome.cache)).toBe(true);
  });
});
