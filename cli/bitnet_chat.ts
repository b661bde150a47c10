/** `bitnet-chat`: a conversation with a model in the terminal, or with piped lines; see `--help`. */
import { loadModel, type TextModel } from "../native/inference/text_model.ts";
import { describeModel } from "../src/language_model/model_facts.ts";
import { ChatTemplateError } from "../src/tokenizer/chat_template_error.ts";
import { Chat, note } from "./chat.ts";
import { chatCommandHelp } from "./chat_commands.ts";
import { checkInteger, defineCommand, InterruptedError } from "./command.ts";
import { checkThreadFlag, computeFlags } from "./compute_flags.ts";
import { engineFlags, engineOptions } from "./engine_flags.ts";
import { openLineInput } from "./line_input.ts";
import { samplingFlags, samplingOptions } from "./sampling_flags.ts";
import { chatTemplateFlag, chatTemplateOf } from "./template_flag.ts";
import { tokenizerFlag, tokenizerPath } from "./tokenizer_flag.ts";

function startConversation(model: TextModel, system: string | undefined, contextLength: number | undefined) {
  try {
    return model.startConversation({ system, contextLength });
  } catch (error) {
    if (!(error instanceof ChatTemplateError)) throw error;
    throw new ChatTemplateError(
      `${error.message} (give one with --chat-template; bitnet-generate continues text without one)`,
    );
  }
}

export const command = defineCommand({
  name: "bitnet-chat",
  summary:
    "A conversation with a GGUF file by its own chat template. Answers go to stdout as they are generated, remarks to stderr. Piped input is a conversation, too: each line is a message.",
  options: {
    model: { type: "string", alias: "m", demandOption: true, describe: "GGUF file" },
    system: { type: "string", describe: "System message" },
    "max-tokens": {
      type: "number",
      alias: "n",
      describe: "Most tokens of an answer [default: until the model ends it]",
    },
    ...samplingFlags,
    stop: { type: "string", array: true, describe: "End an answer before this text (may be given again)" },
    "context-length": { type: "number", describe: "Positions to keep [default: all that the model has]" },
    ...chatTemplateFlag,
    threads: { ...computeFlags.threads, alias: "t" },
    ...tokenizerFlag,
    ...engineFlags,
  },
  examples: [
    ["$0 --model model.gguf", "Talk; /help lists the commands, Ctrl-C stops an answer"],
    ['$0 --model model.gguf --system "Answer in one word." --temperature 0', "The likeliest answers"],
    ["printf 'Hello\\nAnd again\\n' | $0 --model model.gguf --seed 1 > answers.txt", "Two messages, two answers"],
    ["$0 --model ggml-model-i2_s.gguf --chat-template bitnet-b1.58-2B-4T", "A file without a template"],
  ],
  epilogue: `Commands:
${chatCommandHelp}

When the context is full: before an answer, the oldest messages are forgotten (never the system message) until half of the context is free, and a remark says how many; an answer that fills the context ends there and says so. A message that does not fit alone is refused. What was said before stays in memory as keys and values: only what is new is computed.`,
  handlesInterrupt: true,
  async run(options, { signal }) {
    checkInteger("max-tokens", options["max-tokens"], 1);
    checkInteger("context-length", options["context-length"], 16);
    checkThreadFlag(options.threads);
    const sampling = samplingOptions(options);
    const template = chatTemplateOf(options["chat-template"]);

    const loading = new AbortController();
    let onInterrupt = () => loading.abort(new InterruptedError());
    process.on("SIGINT", () => onInterrupt());
    const model = await loadModel(options.model, {
      ...engineOptions(options),
      threads: options.threads,
      chatTemplate: template,
      tokenizer: await tokenizerPath(options.tokenizer),
      signal: AbortSignal.any([signal, loading.signal]),
    });
    const input = openLineInput();
    try {
      const conversation = startConversation(model, options.system, options["context-length"]);
      note(
        `${describeModel(model.languageModel)}${sampling.temperature > 0 ? `, seed ${sampling.seed}` : ""}` +
          (model.chatTemplate.isReplacement ? "\nthe file's chat template is a placeholder: 2B4T's own is used" : "") +
          (input.interactive ? "\n/help lists the commands" : ""),
      );
      const generation = { ...sampling, maxTokens: options["max-tokens"], stop: options.stop };
      const chat = new Chat(conversation, input, generation, signal);
      onInterrupt = () => chat.interrupt();
      await chat.run();
    } finally {
      input.close();
      model.dispose();
    }
  },
});
