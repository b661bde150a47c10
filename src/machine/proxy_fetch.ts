/**
 * `fetch` that goes through the proxy of the environment. Node's own does not before version 24, and then only when it is
 * told to; undici, which Node's is made of, does so in every version.
 */
import type { Dispatcher } from "undici";
import { UserError } from "../errors/user_error.ts";
import { type ProxyChoice, proxyFor } from "./proxy.ts";

/** What the environment names as a proxy is none that can be used. */
export class ProxyError extends UserError {
  override name = "ProxyError";
}

/** As error messages name it, without a password. */
export function proxyText({ url, variable }: ProxyChoice): string {
  return `the proxy ${url.protocol}//${url.host} (${variable})`;
}

function checkedProxy(target: URL, env: Record<string, string | undefined>): ProxyChoice | null {
  let proxy: ProxyChoice | null;
  try {
    proxy = proxyFor(target, env);
  } catch {
    throw new ProxyError(`the proxy for ${target.origin} in the environment is not an address (http://host:port)`);
  }
  if (proxy === null || /^https?:$/.test(proxy.url.protocol)) return proxy;
  throw new ProxyError(`${proxyText(proxy)}: only proxies of http:// and https:// can be used`);
}

/** One agent for each proxy, with its connections. */
const agents = new Map<string, Dispatcher>();

/** @param env default: `process.env` */
export function proxyFetch(env: Record<string, string | undefined> = process.env): typeof fetch {
  return async (input, init) => {
    const target = new URL(input instanceof Request ? input.url : input);
    const proxy = checkedProxy(target, env);
    if (proxy === null) return fetch(input, init);
    const undici = await import("undici");
    const key = proxy.url.href;
    // Tunnels are for TLS: many proxies allow none to port 80.
    const agent = agents.get(key) ?? new undici.ProxyAgent({ uri: key, proxyTunnel: false });
    agents.set(key, agent);
    const options = { ...init, dispatcher: agent } as Parameters<typeof undici.fetch>[1];
    return (await undici.fetch(target, options)) as unknown as Response;
  };
}
