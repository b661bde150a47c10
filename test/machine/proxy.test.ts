/** Which proxy, as Go's `golang.org/x/net/http/httpproxy` and Python's requests choose. */
import { describe, expect, it } from "vitest";
import { proxyFor } from "../../src/machine/proxy.ts";

const proxyOf = (target: string, env: Record<string, string>) => {
  const proxy = proxyFor(new URL(target), env);
  return proxy && `${proxy.variable} ${proxy.url.href}`;
};
const hub = "https://huggingface.co/api";

describe("the variable", () => {
  it.each<[string, string, Record<string, string>, string | null]>([
    ["none", hub, {}, null],
    [
      "HTTPS_PROXY for https",
      hub,
      { HTTPS_PROXY: "http://p:3128", HTTP_PROXY: "http://q" },
      "HTTPS_PROXY http://p:3128/",
    ],
    ["HTTP_PROXY not for https", hub, { HTTP_PROXY: "http://q" }, null],
    ["HTTP_PROXY for http", "http://mirror.example/", { HTTP_PROXY: "http://q:80" }, "HTTP_PROXY http://q/"],
    ["small letters first", hub, { HTTPS_PROXY: "http://p", https_proxy: "http://low" }, "https_proxy http://low/"],
    ["ALL_PROXY for what has none", hub, { ALL_PROXY: "http://a", HTTP_PROXY: "http://q" }, "ALL_PROXY http://a/"],
    ["all_proxy", hub, { all_proxy: "http://a" }, "all_proxy http://a/"],
    ["without a scheme", hub, { HTTPS_PROXY: "proxy.corp:8080" }, "HTTPS_PROXY http://proxy.corp:8080/"],
    ["with a password", hub, { HTTPS_PROXY: "http://me:secret@p:1" }, "HTTPS_PROXY http://me:secret@p:1/"],
    ["an empty one", hub, { HTTPS_PROXY: " ", ALL_PROXY: "" }, null],
    ["this machine", "http://localhost:8080/v1", { HTTP_PROXY: "http://q" }, null],
    ["this machine by address", "http://127.0.0.1:8080/v1", { ALL_PROXY: "http://q" }, null],
    ["this machine by IPv6", "http://[::1]:8080/v1", { ALL_PROXY: "http://q" }, null],
  ])("%s", (_, target, env, proxy) => {
    expect(proxyOf(target, env)).toBe(proxy);
  });
});

describe("NO_PROXY", () => {
  it.each<[string, string, boolean]>([
    ["huggingface.co", hub, true],
    ["HuggingFace.co", hub, true],
    ["other.org, huggingface.co", hub, true],
    ["other.org huggingface.co", hub, true],
    [".co", hub, true],
    ["*.co", hub, true],
    ["face.co", hub, false],
    ["huggingface.co:443", hub, true],
    ["huggingface.co:8443", hub, false],
    ["*", hub, true],
    ["example.org", "https://a.b.example.org/", true],
    ["10.0.0.0/8", "http://10.1.2.3/", true],
    ["10.0.0.0/8", "http://11.1.2.3/", false],
    ["10.1.2.3", "http://10.1.2.3:9000/", true],
    ["10.1.2.3:9000", "http://10.1.2.3:9000/", true],
    ["fd00::/8", "http://[fd12::1]/", true],
    ["[fd12::1]:80", "http://[fd12::1]/", true],
    ["fd12::1", "http://[fd12::1]/", true],
    ["10.0.0.0/99", "http://10.1.2.3/", false],
    ["", hub, false],
    [",, ,", hub, false],
  ])("%j, %s: %s", (exceptions, target, excepted) => {
    const env = { ALL_PROXY: "http://a", NO_PROXY: exceptions };
    expect(proxyFor(new URL(target), env) === null).toBe(excepted);
  });
});
