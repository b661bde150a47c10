/**
 * Many clients of one `bitnet-serve` for a while: every answer must be the one that its prompt and seed have alone, none
 * may fail, and memory must not grow.
 *
 *     npx tsx experiments/oracles/serve_load.ts model.gguf [--clients 64] [--minutes 10] [--tokens 32]
 *
 * A third of the clients stream, some leave in the middle. Prints a line every ten seconds: answers, tokens a second, resident memory of the server.
 * Exit code 1 on a wrong answer, an error, or a memory that grew by more than a tenth in the second half.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import OpenAI from "openai";
import { loadModel } from "../../native/inference/index.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    clients: { type: "string", default: "64" },
    minutes: { type: "string", default: "10" },
    tokens: { type: "string", default: "32" },
  },
});
const [file] = positionals;
if (file === undefined) throw new Error("usage: serve_load.ts FILE.gguf [--clients N] [--minutes N] [--tokens N]");
const max_tokens = Number(values.tokens);

const beginning = "Once upon a time there was a lamp. ".repeat(4);
const prompts = Array.from({ length: 48 }, (_, i) => `${beginning.slice(0, 20 + 3 * i)} and then ${i}`);

async function answersAlone(): Promise<string[]> {
  const model = await loadModel(file);
  const answers: string[] = [];
  for (const [seed, prompt] of prompts.entries()) {
    answers.push((await model.generate(prompt, { temperature: 1, seed, maxTokens: max_tokens }).finish()).text);
  }
  model.dispose();
  return answers;
}

async function serve() {
  const command = fileURLToPath(new URL("../../cli/bin/bitnet-serve.mjs", import.meta.url));
  const child = spawn(process.execPath, [command, "--model", file, "--port", "0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface(child.stderr)) {
    const url = line.match(/^listening on (\S+)$/)?.[1];
    if (url !== undefined) return { url, child };
  }
  throw new Error("bitnet-serve does not start");
}

/** MiB; the process of the command has one of its own for the program where Node needs flags, so all of its kind count. */
function residentMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(status.match(/^VmRSS:\s+(\d+) kB/m)?.[1] ?? 0) / 1024;
}

const expected = await answersAlone();
const { url, child } = await serve();
const client = new OpenAI({ baseURL: `${url}v1`, apiKey: "none", maxRetries: 0 });
const [{ id: model }] = (await client.models.list()).data;
const end = Date.now() + Number(values.minutes) * 60_000;
const counts = { answers: 0, wrong: 0, errors: 0, left: 0 };

async function whole(index: number): Promise<string> {
  const { choices } = await client.completions.create({ model, prompt: prompts[index], seed: index, max_tokens });
  return choices[0].text;
}

async function streamed(index: number, leaves: boolean): Promise<string | null> {
  const request = { model, prompt: prompts[index], seed: index, max_tokens, stream: true } as const;
  let text = "";
  for await (const { choices } of await client.completions.create(request)) {
    text += choices[0].text;
    if (leaves) return null;
  }
  return text;
}

async function run(number: number): Promise<void> {
  for (let round = 0; Date.now() < end; round++) {
    const index = (number * 7 + round * 13) % prompts.length;
    try {
      const text = number % 3 === 0 ? await streamed(index, round % 5 === 4) : await whole(index);
      if (text === null) counts.left++;
      else counts.answers++;
      if (text !== null && text !== expected[index]) counts.wrong++;
    } catch (error) {
      counts.errors++;
      console.error(String(error));
    }
  }
}

const memory: number[] = [];
let reported = 0;
const report = setInterval(() => {
  memory.push(residentMemory(child.pid!));
  const rate = ((counts.answers - reported) * max_tokens) / 10;
  reported = counts.answers;
  console.log(`${JSON.stringify(counts)}, up to ${rate.toFixed(0)} tokens/s, ${memory.at(-1)!.toFixed(0)} MiB`);
}, 10_000);
await Promise.all(Array.from({ length: Number(values.clients) }, (_, number) => run(number)));
clearInterval(report);
child.kill();
const [middle, last] = [memory[Math.floor(memory.length / 2)] ?? 0, memory.at(-1) ?? 0];
const failed = counts.wrong + counts.errors > 0 || last > middle * 1.1;
console.log(
  `${JSON.stringify(counts)}; resident memory ${middle.toFixed(0)} MiB at half time, ${last.toFixed(0)} at the end`,
);
process.exitCode = failed ? 1 : 0;
