/** `bitnet-serve` as a user runs it: it says where it listens, answers, and ends when it is told to. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportChatModel } from "../native/inference/chat_model.ts";
import { temporaryFolder } from "../native/inference/exported_model.ts";
import { titleUnless } from "../support/missing.ts";
import { hasNative } from "../support/tfjs_backends.ts";

const program = path.join(import.meta.dirname, "../../cli/bin/bitnet-serve.mjs");
const folder = temporaryFolder("bitnet-serve-");
afterAll(() => folder.remove());
const file = path.join(folder.path, "tiny.gguf");

type Child = ChildProcessByStdio<null, Readable, Readable>;
const start = (args: readonly string[], env: Record<string, string> = {}): Child =>
  spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });

async function endOf(child: Child): Promise<{ code: number | null; stderr: string }> {
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
}

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "bitnet-serve"), () => {
  beforeAll(() => exportChatModel(file));

  it("answers at the address that it names, asks for its key, and ends on Ctrl-C", async () => {
    const child = start(["--model", file, "--port", "0", "--threads", "1"], { BITNET_API_KEY: "secret" });
    const lines: string[] = [];
    let url: string | undefined;
    for await (const line of createInterface(child.stderr)) {
      lines.push(line);
      url = line.match(/^listening on (\S+), with an API key$/)?.[1];
      if (url !== undefined) break;
    }
    expect(lines[0]).toMatch(/^tiny: .*bitnet/);
    const ask = (key: string) =>
      fetch(`${url}v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify({ messages: [{ role: "user", content: "Hi" }], max_tokens: 4, temperature: 0 }),
      });
    expect((await ask("other")).status).toBe(401);
    const { choices } = (await (await ask("secret")).json()) as { choices: { message: { content: string } }[] };
    expect(choices[0].message.content).not.toBe("");
    const ended = endOf(child);
    child.kill("SIGINT");
    expect((await ended).code).toBe(0);
  });

  it.each([
    [["--model", "nowhere.gguf"], 1, /^bitnet-serve: nowhere.gguf: No such file/m],
    [["--model", file, "--port", "70000"], 2, /--port must be at most 65535/],
    [["--model", file, "--slots", "0"], 2, /--slots must be an integer of at least 1/],
    [["--model", file, file, "--port", "0"], 1, /two files are called tiny/],
    [["--model", file, "--api-key="], 2, /api-key/],
  ])("%j: exit code %i", async (args, code, message) => {
    const end = await endOf(start(args));
    expect(end.code).toBe(code);
    expect(end.stderr).toMatch(message);
    expect(end.stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
