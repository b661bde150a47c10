/**
 * Which proxy a request goes through, by the variables that curl, Python and Go read: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY,
 * NO_PROXY, in capitals or not (small letters first). As in Go, this machine itself is never asked for through one.
 */
import { BlockList, isIP } from "node:net";

type Environment = Record<string, string | undefined>;

export interface ProxyChoice {
  url: URL;
  /** The variable that names it. */
  variable: string;
}

/** Value and name of the first variable that is set. */
function firstOf(env: Environment, names: readonly string[]): [value: string, name: string] | null {
  for (const name of names.flatMap((each) => [each.toLowerCase(), each])) {
    const value = env[name]?.trim();
    if (value) return [value, name];
  }
  return null;
}

const withoutBrackets = (host: string) => host.replace(/^\[(.*)\]$/, "$1");

function isThisMachine(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** `10.0.0.0/8` */
function isInNetwork(host: string, network: string): boolean {
  const [address, bits] = network.split("/");
  const version = isIP(address);
  if (version === 0 || isIP(host) !== version) return false;
  const family = version === 6 ? "ipv6" : "ipv4";
  const list = new BlockList();
  try {
    list.addSubnet(address, Number(bits), family);
  } catch {
    return false;
  }
  return list.check(host, family);
}

/** Whether an entry of NO_PROXY means this host: `*`, a name (and those below it), an address, a network, each with a port. */
function isExcepted(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isInNetwork(host, entry);
  const [, bracketed, plain, onPort] = /^(?:\[(.+)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
  const name = (bracketed ?? plain ?? "").replace(/^\*?\./, "");
  if (name === "" || (onPort !== undefined && onPort !== port)) return false;
  return host === name || (isIP(name) === 0 && host.endsWith(`.${name}`));
}

/** The proxy for `target`; null for none. @throws {TypeError} if the variable holds no address */
export function proxyFor(target: URL, env: Environment = process.env): ProxyChoice | null {
  const host = withoutBrackets(target.hostname.toLowerCase());
  if (isThisMachine(host)) return null;
  const own = target.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const found = firstOf(env, [own, "ALL_PROXY"]);
  if (found === null) return null;
  const port = target.port || (target.protocol === "https:" ? "443" : "80");
  const exceptions =
    firstOf(env, ["NO_PROXY"])?.[0]
      .toLowerCase()
      .split(/[\s,]+/) ?? [];
  if (exceptions.some((entry) => isExcepted(entry, host, port))) return null;
  const [value, variable] = found;
  return { url: new URL(/^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`), variable };
}
