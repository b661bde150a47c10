/** A completions server in this process, with made-up log-probabilities; tests replace its answers to make it misbehave. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Log-probability of an id after another one. */
export function logprobAfter(previous: number, id: number): number {
  return Math.fround(-0.25 - ((previous * 7 + id * 13) % 40) / 8);
}

/** The largest log-probability that any id has here. */
export const bestLogprob = -0.25;

interface CompletionBody {
  prompt: number[] | number[][];
  max_tokens: number;
  echo?: boolean;
  stream?: boolean;
  stop?: string[];
  logit_bias?: Record<string, number>;
}

type Reply = (body: CompletionBody, response: ServerResponse, request: IncomingMessage) => void;

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** OpenAI's form, prompt repeated and one token generated. */
export const echoAnswer: Reply = ({ prompt }, response) => {
  const prompts = Array.isArray(prompt[0]) ? (prompt as number[][]) : [prompt as number[]];
  const choices = prompts.map((ids, index) => {
    const scores = [...ids, 1].map((id, i, all) => (i === 0 ? null : logprobAfter(all[i - 1], id)));
    const top = scores.map((value) => (value === null ? null : { a: value, b: bestLogprob }));
    return { index, text: "", logprobs: { tokens: scores.map(String), token_logprobs: scores, top_logprobs: top } };
  });
  // Out of order: the index counts.
  sendJson(response, { choices: choices.toReversed() });
};

/** llama.cpp's form: one generated token, biased, with the log-probability before the bias. */
export const forcedAnswer: Reply = ({ prompt, logit_bias, echo }, response) => {
  if (echo) return sendJson(response, { error: { message: "Only no echo is supported" } }, 500);
  const id = Number(Object.keys(logit_bias ?? {})[0]);
  const logprob = logprobAfter((prompt as number[]).at(-1)!, id);
  const top = { id: logprob === bestLogprob ? id : id + 1, token: "x", logprob: bestLogprob };
  const content = [{ id, token: "x", logprob, top_logprobs: [top] }];
  sendJson(response, { choices: [{ index: 0, text: "x", logprobs: { content } }] });
};

export class CompletionsServer {
  /** What the server has been asked to complete. */
  readonly bodies: CompletionBody[] = [];
  reply: Reply = echoAnswer;
  models: unknown = { data: [{ id: "small" }] };
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      if (request.url === "/v1/models") return sendJson(response, this.models);
      let text = "";
      request.on("data", (chunk) => {
        text += chunk;
      });
      request.on("end", () => {
        const body = JSON.parse(text) as CompletionBody;
        this.bodies.push(body);
        this.reply(body, response, request);
      });
    });
  }

  /** Starts to listen. @returns the address up to and with `/v1` */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
