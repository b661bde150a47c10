/** Why the Hub did not give what was asked for, in a line that says what to do. */
import { HubApiError } from "@huggingface/hub";
import { systemErrorCode, systemErrorText } from "../errors/system_error.ts";
import { messageOf, UserError } from "../errors/user_error.ts";
import { FileWriteError } from "../files/write_error.ts";
import { type ProxyChoice, proxyFor } from "../machine/proxy.ts";
import { ProxyError, proxyText } from "../machine/proxy_fetch.ts";
import { DataError } from "./data_error.ts";
import type { HubSettings } from "./hub_settings.ts";

/** A connection that ended too early without an error of its own. */
export class DownloadBroken extends Error {
  override name = "DownloadBroken";
}

const cachedCopy = "HF_HUB_OFFLINE=1 uses the cached copy";
const certificates = "NODE_EXTRA_CA_CERTS=FILE adds the certificates of a network that reads along";

function answerProblem({ statusCode, message }: HubApiError, settings: HubSettings, revision: string): string {
  const { endpoint, token } = settings;
  switch (statusCode) {
    case 401:
    case 403: {
      const cause = token
        ? "the token in HF_TOKEN is not allowed to read it"
        : "it does not exist or needs a token: set HF_TOKEN";
      return `access denied (${statusCode}): ${cause}`;
    }
    case 404:
      return `not found at ${endpoint} (revision ${revision})`;
    case 407:
      return `the proxy wants a name and a password (407): http://name:password@host:port`;
    case 429:
      return `${endpoint} has had too many requests (429): wait a while${token ? "" : ", or set HF_TOKEN, which is allowed more"}`;
    default:
      return `${endpoint} answered ${statusCode}: ${message}`;
  }
}

/** The innermost error that says what happened: `fetch` wraps it, once or twice. */
function rootCause(error: unknown): unknown {
  for (let cause = error; ; ) {
    const next = (cause as { cause?: unknown }).cause;
    if (!(next instanceof Error)) return cause;
    cause = next;
  }
}

/** Why there was no answer, and what may help. */
function connectionProblem(error: unknown, proxy: ProxyChoice | null): string {
  const cause = rootCause(error);
  const text = systemErrorText(cause) || messageOf(error);
  const code = systemErrorCode(cause) ?? (cause as NodeJS.ErrnoException).code ?? "";
  // undici: "Proxy response (407) !== 200 when HTTP Tunneling"
  const refused = /Proxy response \((\d+)\)/.exec(messageOf(cause))?.[1];
  if (refused === "407")
    return `it wants a name and a password (407): ${proxy?.variable}=http://name:password@host:port`;
  if (refused !== undefined)
    return `it answered ${refused}; NO_PROXY names hosts to be asked without it; ${cachedCopy}`;
  if (/CERT|_SIGNATURE|SELF_SIGNED|ERR_TLS|EPROTO|ERR_SSL/.test(code))
    return `TLS: ${text}; ${certificates}; ${cachedCopy}`;
  const isLookup = code === "ENOTFOUND" || code === "EAI_AGAIN";
  if (proxy !== null) return `${text}; NO_PROXY names hosts to be asked without it; ${cachedCopy}`;
  const ways = isLookup ? "HTTPS_PROXY names a proxy, HF_ENDPOINT a mirror" : "HF_ENDPOINT names a mirror";
  return `${text}; ${ways}, ${cachedCopy}`;
}

/**
 * One line about a request that failed, or a cache that cannot be written; a mistake of our own stays what it is.
 * @param where what was asked for, as the line begins
 */
export function hubProblem(where: string, revision: string, settings: HubSettings, error: unknown): unknown {
  const elsewhere = "HF_HOME names another folder for the cache";
  if (error instanceof FileWriteError) return new DataError(`${where}: ${error.message}; ${elsewhere}`);
  if (error instanceof ProxyError) return new DataError(`${where}: ${error.message}`);
  if (error instanceof UserError) return error;
  if (error instanceof HubApiError) return new DataError(`${where}: ${answerProblem(error, settings, revision)}`);
  const { path: file, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  if (file !== undefined) {
    return new DataError(`${where}: cannot write the cache: ${systemErrorText(error, file)}; ${elsewhere}`);
  }
  const { endpoint, env } = settings;
  if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ERR_INVALID_URL") {
    return new DataError(`${where}: ${endpoint} is no Hub (${messageOf(error)})`);
  }
  // What `fetch` throws names the cause.
  if (cause === undefined && !(error instanceof DownloadBroken)) return error;
  const proxy = proxyFor(new URL(endpoint), env);
  const through = proxy === null ? "" : ` through ${proxyText(proxy)}`;
  return new DataError(`${where}: cannot reach ${endpoint}${through}: ${connectionProblem(error, proxy)}`);
}
