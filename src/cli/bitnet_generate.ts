/** `bitnet-generate`: continues a prompt, printing the text as it is generated; see `--help`. */
import { RequestEncoder } from "../eval/request_encoding.ts";
import { checkInteger, runCommand, UsageError } from "./command.ts";
import { backendChoices, describeModel, openModel } from "./open_model.ts";

await runCommand({
  name: "bitnet-generate",
  summary: "Continues a prompt with a GGUF file or a checkpoint. The text goes to stdout as it is generated.",
  options: {
    model: { type: "string", demandOption: true, describe: "GGUF file, checkpoint directory or run directory" },
    prompt: { type: "string", demandOption: true, describe: 'Text to continue; "" starts a new document' },
    "max-tokens": { type: "number", default: 128, describe: "Most tokens to generate" },
    temperature: { type: "number", default: 0.8, describe: "0: the likeliest token each time" },
    "top-k": { type: "number", describe: "Only the K likeliest tokens [default: all]" },
    "top-p": { type: "number", describe: "Only the likeliest tokens that add up to probability P [default: all]" },
    stop: { type: "string", array: true, describe: "End before this text (may be given several times)" },
    seed: { type: "number", describe: "The same seed gives the same text [default: drawn, and printed]" },
    threads: { type: "number", describe: "Threads [default: BITNET_THREADS, else all CPUs]" },
    backend: { choices: backendChoices, describe: "tfjs backend of a checkpoint [default: native]" },
  },
  examples: [
    ['$0 --model small.gguf --prompt "The red ball"', "Sampled text"],
    [
      "$0 --model small.gguf --prompt $'Question: Who owns the lamp?\\nAnswer:' --temperature 0",
      "The likeliest answer",
    ],
    ['$0 --model runs/small --prompt "Once" --top-k 40 --top-p 0.95 --seed 7', "The newest checkpoint, repeatable"],
  ],
  epilogue: "BITNET_ISA=scalar|avx2|avx512vnni|neondot forces a kernel variant.",
  async run(options, { signal }) {
    checkInteger("max-tokens", options["max-tokens"], 1);
    checkInteger("top-k", options["top-k"], 1);
    checkInteger("seed", options.seed, 0);
    checkInteger("threads", options.threads, 1);
    const { temperature } = options;
    const topP = options["top-p"];
    if (!(temperature >= 0)) throw new UsageError(`--temperature must be a number from 0, not ${temperature}`);
    if (topP !== undefined && !(topP > 0 && topP <= 1)) {
      throw new UsageError(`--top-p must be above 0 and at most 1, not ${topP}`);
    }
    const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);

    const model = await openModel(options.model, options);
    try {
      console.error(`${describeModel(model)}${temperature > 0 ? `, seed ${seed}` : ""}`);
      const maxTokens = options["max-tokens"];
      const context = new RequestEncoder(model.tokenizer, model.maxLength).encodeGeneration(options.prompt, maxTokens);
      const start = performance.now();
      let tokens = 0;
      const request = {
        context,
        until: options.stop ?? [],
        maxTokens,
        temperature,
        topK: options["top-k"],
        topP,
        seed,
      };
      const onTokens = (count: number) => {
        tokens = count;
      };
      for await (const text of model.stream(request, signal, onTokens)) process.stdout.write(text);
      const seconds = (performance.now() - start) / 1000;
      process.stdout.write("\n");
      console.error(
        `${context.length} prompt tokens, ${tokens} generated in ${seconds.toFixed(2)} s: ` +
          `${(tokens / seconds).toFixed(1)} tokens/s, prompt included`,
      );
    } finally {
      model.dispose();
    }
  },
});
