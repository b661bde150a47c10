/** `bitnet-generate`: continues a prompt, printing the text as it is generated; see `--help`. */
import { counted } from "../src/errors/counted.ts";
import type { StopReason } from "../src/language_model/language_model.ts";
import { logprobsOf } from "../src/language_model/likely_tokens.ts";
import { describeModel } from "../src/language_model/model_facts.ts";
import { RequestEncoder } from "../src/language_model/request_encoding.ts";
import { checkInteger, defineCommand } from "./command.ts";
import { checkThreadFlag, computeFlags } from "./compute_flags.ts";
import { engineFlags, engineOptions } from "./engine_flags.ts";
import { type GenerationReport, logprobLines } from "./generation_report.ts";
import { variantHelp } from "./kernel_variants.ts";
import { modelOfFlags } from "./model_of_flags.ts";
import { promptFlags, readPrompt } from "./prompt_flags.ts";
import { samplingFlags, samplingOptions } from "./sampling_flags.ts";
import { sayAside } from "./terminal/say.ts";
import { TextOutput } from "./terminal/text_output.ts";
import { tokenizerFlag } from "./tokenizer_flag.ts";

export const command = defineCommand({
  name: "bitnet-generate",
  summary: "Continues a prompt with a GGUF file or a checkpoint. The text goes to stdout as it is generated.",
  options: {
    model: {
      type: "string",
      alias: "m",
      demandOption: true,
      describe: "GGUF file, checkpoint directory or run directory",
    },
    ...promptFlags,
    "max-tokens": { type: "number", alias: "n", default: 128, describe: "Most tokens to generate" },
    ...samplingFlags,
    stop: { type: "string", array: true, describe: "End before this text (may be given again)" },
    logprobs: {
      type: "number",
      describe: "Then list the log-probability of every token, and the N likeliest tokens at its place (0: none)",
    },
    json: { type: "boolean", default: false, describe: "Print one JSON object instead of the text" },
    threads: { ...computeFlags.threads, alias: "t" },
    ...tokenizerFlag,
    ...engineFlags,
    backend: computeFlags.backend,
    quantization: computeFlags.quantization,
  },
  examples: [
    ['$0 --model small.gguf --prompt "The red ball"', "Sampled text"],
    ["$0 -m small.gguf -f chapter.txt -n 200 -t 4", "Goes on where a file ends"],
    ["fortune | $0 -m small.gguf -p -", "The prompt comes from another program"],
    [
      "$0 --model small.gguf --prompt $'Question: Who owns the lamp?\\nAnswer:' --temperature 0",
      "The likeliest answer",
    ],
    ["$0 -m small.gguf -p Once -n 8 --logprobs 5", "How likely each token was, and what was likelier"],
    ['$0 --model runs/small --prompt "Once" --top-k 40 --top-p 0.95 --seed 7', "The newest checkpoint, repeatable"],
  ],
  epilogue: variantHelp,
  async run(options, { signal }) {
    checkInteger("max-tokens", options["max-tokens"], 1);
    checkInteger("logprobs", options.logprobs, 0);
    checkThreadFlag(options.threads);
    const sampling = samplingOptions(options);
    const prompt = await readPrompt(options, signal);

    const model = await modelOfFlags(options.model, { ...options, engine: engineOptions(options), signal });
    try {
      sayAside(`${describeModel(model)}${sampling.temperature > 0 ? `, seed ${sampling.seed}` : ""}`);
      const { stop = [], "max-tokens": maxTokens } = options;
      const start = performance.now();
      const context = new RequestEncoder(model.tokenizer, model.maxLength).encodePrompt(prompt);
      let tokens = 0;
      let end: StopReason | null = null;
      const output = options.json ? null : new TextOutput(process.stdout);
      const ids: number[] = [];
      let text = "";
      for await (const piece of model.stream({ ...sampling, context, until: stop, maxTokens }, { signal })) {
        output?.write(piece.text);
        text += piece.text;
        if (piece.id !== undefined) ids.push(piece.id);
        ({ tokens, end } = piece);
      }
      const seconds = (performance.now() - start) / 1000;
      output?.end();
      const listed =
        options.logprobs === undefined
          ? undefined
          : await logprobsOf(model, [...context, ...ids], { top: options.logprobs, from: context.length, signal });
      if (options.json) {
        const report: GenerationReport = {
          model: model.name,
          prompt,
          text,
          stop_reason: end,
          prompt_tokens: context.length,
          generated_tokens: tokens,
          seconds,
          temperature: sampling.temperature,
          seed: sampling.temperature > 0 ? sampling.seed : null,
          tokens: listed,
        };
        console.log(JSON.stringify(report, null, 2));
      } else if (listed) {
        for (const line of ["", ...logprobLines(listed)]) console.log(line);
      }
      const full = end === "context" ? `; the context of ${model.maxLength} tokens is full` : "";
      sayAside(
        `${counted(context.length, "prompt token")}, ${tokens} generated in ${seconds.toFixed(2)} s: ` +
          `${(tokens / seconds).toFixed(1)} tokens/s, prompt included${full}`,
      );
    } finally {
      model.dispose();
    }
  },
});
