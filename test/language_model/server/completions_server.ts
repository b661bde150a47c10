/** A completions server in this process, with made-up log-probabilities; tests replace its answers to make it misbehave. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Tokenizer } from "../../../src/tokenizer/tokenizer.ts";

/** Log-probability of an id after another one. */
export function logprobAfter(previous: number, id: number): number {
  return Math.fround(-0.25 - ((previous * 7 + id * 13) % 40) / 8);
}

/** The largest log-probability that any id has here. */
export const bestLogprob = -0.25;

interface CompletionBody {
  prompt: number[] | number[][] | string;
  max_tokens: number;
  logprobs?: number;
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

/** OpenAI's form of one generated token: the likeliest. */
export const nextTokenAnswer: Reply = (_, response) =>
  sendJson(response, {
    choices: [
      { text: "b", logprobs: { tokens: ["b"], token_logprobs: [bestLogprob], top_logprobs: [{ b: bestLogprob }] } },
    ],
  });

/**
 * llama-cpp-python's form: the server tokenizes a text, leaves BOS out of its lists, and lists as many tokens as it has rows.
 * @param late each token is scored by the row behind it, as happens without BOS
 */
export const echoedTextAnswer =
  (tokenizer: Tokenizer, { late = false } = {}): Reply =>
  ({ prompt }, response) => {
    const ids = tokenizer.encode(prompt as string);
    const [, ...listed] = [...ids, 1].map((id, i, all) => logprobAfter(all[i - 1] ?? 0, id));
    const scores = [null, ...listed.slice(1)];
    const best = late ? "c" : "b";
    const logprobs = {
      text_offset: scores.map((_, i) => i),
      token_logprobs: scores,
      tokens: [...ids.slice(1), 1].map((id) => tokenizer.decode([id])),
      top_logprobs: scores.map((value) => (value === null ? null : { a: value, [best]: bestLogprob })),
    };
    const usage = { prompt_tokens: ids.length, completion_tokens: 1, total_tokens: ids.length + 1 };
    sendJson(response, {
      object: "text_completion",
      choices: [{ text: prompt, index: 0, logprobs, finish_reason: "length" }],
      usage,
    });
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
  reply!: Reply;
  /** Answers to what is asked to see whether echo has the right positions, by itself and unseen; null: `reply` does. */
  checkReplies!: readonly Reply[] | null;
  /** Ids of a text, at `/tokenize`. */
  tokenize!: ((text: string) => number[]) | null;
  models: unknown;
  private pendingCheck: Reply | undefined;
  private readonly server: Server;

  constructor() {
    this.reset();
    this.server = createServer((request, response) => {
      if (request.url === "/v1/models") return sendJson(response, this.models);
      let text = "";
      request.on("data", (chunk) => {
        text += chunk;
      });
      request.on("end", () => {
        if (request.url === "/tokenize") {
          const { content } = JSON.parse(text) as { content: string };
          return this.tokenize ? sendJson(response, { tokens: this.tokenize(content) }) : sendJson(response, {}, 404);
        }
        const body = JSON.parse(text) as CompletionBody;
        if (this.checkReplies !== null) {
          const isFirst = body.logprobs === 5 && !body.echo;
          const check = isFirst ? this.checkReplies[0] : this.pendingCheck;
          this.pendingCheck = isFirst ? this.checkReplies[1] : undefined;
          if (check) return check(body, response, request);
        }
        this.bodies.push(body);
        this.reply(body, response, request);
      });
    });
  }

  /** A server that does what it should, with echo, and has been asked nothing. */
  reset(): void {
    this.reply = echoAnswer;
    this.checkReplies = [nextTokenAnswer, echoAnswer];
    this.pendingCheck = undefined;
    this.tokenize = null;
    this.models = { data: [{ id: "small" }] };
    this.bodies.length = 0;
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
