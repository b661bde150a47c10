/**
 * What the environment says of the Hugging Face Hub, as its Python libraries read it: HF_ENDPOINT; HF_HUB_CACHE, or
 * HF_HOME/hub, or ~/.cache/huggingface/hub; HF_TOKEN, or the file HF_HOME/token; HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE
 * (the same), and HF_DATASETS_OFFLINE, which has the last word for data sets. Proxies: see machine/proxy.ts.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { cacheHome, homeDirectory, temporaryHome } from "../files/user_cache.ts";

type Environment = Record<string, string | undefined>;

export interface HubSettings {
  endpoint: string;
  cache: string;
  token: string | undefined;
  /** Name of the variable that forbids to ask the Hub; null if none does. */
  offlineBy: string | null;
  env: Environment;
}

const isTrue = (value: string | undefined) => /^(?:1|true|yes|on)$/i.test(value ?? "");

/** The variable that says not to ask the Hub. */
export function offlineVariable(type: "dataset" | "model", env: Environment): string | null {
  if (type === "dataset" && env.HF_DATASETS_OFFLINE !== undefined) {
    return isTrue(env.HF_DATASETS_OFFLINE) ? "HF_DATASETS_OFFLINE" : null;
  }
  const name = env.HF_HUB_OFFLINE ? "HF_HUB_OFFLINE" : "TRANSFORMERS_OFFLINE";
  return isTrue(env[name]) ? name : null;
}

/** `~/x` is in the home. */
function expanded(folder: string): string {
  return folder === "~" || folder.startsWith("~/") ? path.join(homeDirectory() ?? "~", folder.slice(1)) : folder;
}

export async function hubSettings(type: "dataset" | "model", env: Environment): Promise<HubSettings> {
  const home = expanded(env.HF_HOME || path.join(cacheHome(env) ?? temporaryHome(), "huggingface"));
  const stored = await readFile(expanded(env.HF_TOKEN_PATH || path.join(home, "token")), "utf8").catch(() => "");
  return {
    endpoint: (env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, ""),
    cache: expanded(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || path.join(home, "hub")),
    token: env.HF_TOKEN?.trim() || env.HUGGING_FACE_HUB_TOKEN?.trim() || stored.trim() || undefined,
    offlineBy: offlineVariable(type, env),
    env,
  };
}
