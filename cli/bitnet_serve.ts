/** `bitnet-serve`: GGUF files behind an OpenAI-compatible HTTP interface; see `--help`. */
import { once } from "node:events";
import { type ServedFile, Server } from "../native/serve/server.ts";
import { describeModel } from "../src/language_model/model_facts.ts";
import { checkInteger, defineCommand, UsageError } from "./command.ts";
import { checkThreadFlag, computeFlags } from "./compute_flags.ts";
import { engineFlags, engineOptions } from "./engine_flags.ts";
import { chatTemplateFlag, chatTemplateOf } from "./template_flag.ts";
import { tokenizerFlag, tokenizerPath } from "./tokenizer_flag.ts";

export const command = defineCommand({
  name: "bitnet-serve",
  summary:
    "An OpenAI-compatible server for GGUF files. Callers at once are answered together, each with the tokens that it would get alone.",
  options: {
    model: {
      type: "string",
      array: true,
      alias: "m",
      demandOption: true,
      describe: "GGUF file, or several; a model's id is its file name without .gguf",
    },
    host: { type: "string", default: "127.0.0.1", describe: "Address to listen on" },
    port: { type: "number", default: 8080, describe: "Port; 0 for a free one" },
    "api-key": { type: "string", describe: "Callers must send this key [default: BITNET_API_KEY, else none]" },
    slots: { type: "number", default: 8, describe: "Generations of a model that run at once" },
    queue: { type: "number", default: 256, describe: "Generations that may wait; more are told to come back (503)" },
    "context-length": { type: "number", describe: "Positions of a slot [default: all that the model has]" },
    timeout: { type: "number", default: 600, describe: "Seconds that an answer may take" },
    "body-limit": { type: "number", default: 4, describe: "MiB of a request" },
    threads: { ...computeFlags.threads, alias: "t" },
    ...chatTemplateFlag,
    ...tokenizerFlag,
    ...engineFlags,
  },
  examples: [
    ["$0 --model model.gguf", "Serve on 127.0.0.1:8080; a chat page is at /"],
    ["$0 --model small.gguf large.gguf --port 9000", "Two models; a request names one"],
    ["BITNET_API_KEY=secret $0 --model model.gguf --host 0.0.0.0", "For other machines, with a key"],
  ],
  epilogue: `Routes: /v1/models, /v1/completions, /v1/chat/completions, /tokenize, /detokenize,
/apply-template, /health, /metrics and a chat page at /. docs/serving.md says what they take.

Ctrl-C lets answers in progress end for ten seconds; a second one leaves at once.`,
  async run(options, { signal }) {
    checkInteger("port", options.port, 0);
    checkInteger("slots", options.slots, 1);
    checkInteger("queue", options.queue, 0);
    checkInteger("context-length", options["context-length"], 16);
    checkInteger("body-limit", options["body-limit"], 1);
    checkThreadFlag(options.threads);
    if (options.port > 65535) throw new UsageError(`--port must be at most 65535, not ${options.port}`);
    if (!(options.timeout > 0)) throw new UsageError(`--timeout must be above 0, not ${options.timeout}`);
    const apiKey = options["api-key"] ?? process.env.BITNET_API_KEY;
    if (apiKey === "") throw new UsageError("--api-key is empty");
    const how = {
      ...engineOptions(options),
      threads: options.threads,
      chatTemplate: chatTemplateOf(options["chat-template"]),
      tokenizer: await tokenizerPath(options.tokenizer),
      signal,
    };
    const files = options.model.map((file): ServedFile => ({ file, ...how }));
    const server = await Server.start(files, {
      host: options.host,
      port: options.port,
      apiKey,
      slots: options.slots,
      queue: options.queue,
      contextLength: options["context-length"],
      timeout: options.timeout,
      bodyLimit: options["body-limit"] * 2 ** 20,
      onError: (error) => console.error(`bitnet-serve: ${error instanceof Error ? error.stack : String(error)}`),
    });
    for (const { id, model } of server.models) console.error(`${id}: ${describeModel(model.languageModel)}`);
    console.error(`listening on ${server.url}${apiKey === undefined ? "" : ", with an API key"}`);
    if (!signal.aborted) await once(signal, "abort");
    console.error("stopping: answers in progress have ten seconds");
    await server.stop();
  },
});
