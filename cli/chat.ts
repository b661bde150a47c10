/** The loop of `bitnet-chat`: a line, a command or an answer, a remark on how it went. */
import type { Conversation } from "../native/inference/conversation.ts";
import { counted } from "../src/errors/counted.ts";
import type { GenerateOptions, Generation } from "../src/language_model/generation.ts";
import { chatCommandHelp, parseChatLine } from "./chat_commands.ts";
import { InterruptedError } from "./command.ts";
import { errorLine, isForPeople } from "./error_report.ts";
import type { LineInput, NoLine } from "./line_input.ts";
import { TextOutput } from "./terminal/text_output.ts";
import { wrapWords } from "./terminal/word_wrap.ts";

export class Chat {
  readonly #conversation: Conversation;
  readonly #input: LineInput;
  readonly #options: GenerateOptions & { seed: number };
  readonly #terminated: AbortSignal;
  /** Aborts what is going on now: an answer, or waiting for a piped line. */
  #current = new AbortController();
  #answering = false;
  #answers = 0;

  constructor(
    conversation: Conversation,
    input: LineInput,
    options: GenerateOptions & { seed: number },
    terminated: AbortSignal,
  ) {
    this.#conversation = conversation;
    this.#input = input;
    this.#options = options;
    this.#terminated = terminated;
  }

  /** Ctrl-C, unless a line is being edited. */
  interrupt(): void {
    if (this.#answering || !this.#input.interactive) this.#current.abort(new InterruptedError());
  }

  async run(): Promise<void> {
    let interrupted = false;
    for (;;) {
      const line = await this.#readMessage();
      if (typeof line !== "string") {
        if (line.none === "end" || interrupted) return;
        interrupted = true;
        note("Ctrl-C again, Ctrl-D or /exit leaves");
        continue;
      }
      interrupted = false;
      if (line.trim() === "") continue;
      const command = parseChatLine(line);
      if (command.name === "exit") return;
      try {
        if (command.name === "message") await this.#answer((options) => this.#conversation.send(command.text, options));
        else if (command.name === "retry") await this.#answer((options) => this.#conversation.retry(options));
        else this.#obey(command.name, "text" in command ? command.text : "");
      } catch (error) {
        if (this.#terminated.aborted || !isForPeople(error)) throw error;
        // A message that does not fit, a template that refuses it: the conversation goes on.
        note(errorLine(error));
        if (!this.#input.interactive) process.exitCode = 1;
      }
    }
  }

  /** A line with its continuation lines. */
  async #readMessage(): Promise<string | { none: NoLine }> {
    let text = "";
    for (let prompt = "> "; ; prompt = ". ") {
      this.#current = new AbortController();
      const line = await this.#input.read(prompt, AbortSignal.any([this.#current.signal, this.#terminated]));
      if (typeof line !== "string") return text === "" ? line : line.none === "end" ? text : line;
      if (!line.endsWith("\\")) return text + line;
      text += `${line.slice(0, -1)}\n`;
    }
  }

  #obey(name: "help" | "reset" | "system" | "unknown", text: string): void {
    if (name === "help") {
      note(chatCommandHelp);
    } else if (name === "unknown") {
      note(text);
    } else if (name === "reset") {
      this.#conversation.reset();
      note("the conversation is forgotten");
    } else if (text === "") {
      note(this.#conversation.system ?? "there is no system message");
    } else {
      this.#conversation.reset(text === '""' ? "" : text);
      note("a new conversation");
    }
  }

  /** Streams an answer to stdout, then says on stderr how it went. */
  async #answer(start: (options: GenerateOptions) => Generation): Promise<void> {
    this.#current = new AbortController();
    const signal = AbortSignal.any([this.#current.signal, this.#terminated]);
    // Every answer draws from a stream of its own; with a given seed all of them are repeatable.
    const seed = this.#options.seed + this.#answers++;
    const forgotten = this.#conversation.forgottenMessages;
    const generation = start({ ...this.#options, seed, signal });
    const output = new TextOutput(process.stdout);
    this.#answering = true;
    try {
      for await (const { text } of generation) output.write(text);
    } catch (error) {
      if (!this.#current.signal.aborted) throw error;
    } finally {
      this.#answering = false;
      if (generation.text !== "") output.end();
    }
    const more = this.#conversation.forgottenMessages - forgotten;
    if (more > 0) note(`the context is full: the oldest ${more} messages are forgotten`);
    note(statistics(generation));
  }
}

/** `12 tokens, 34.5 tokens/s; prompt 5 tokens and 130 cached ones in 0.02 s; end of the answer`. */
function statistics({ usage, stopReason }: Generation): string {
  const { promptTokens, cachedTokens, generatedTokens, promptSeconds, generationSeconds } = usage;
  // The first token belongs to the prompt's time.
  const speed = generatedTokens > 1 ? `, ${((generatedTokens - 1) / generationSeconds).toFixed(1)} tokens/s` : "";
  const cached = cachedTokens > 0 ? ` and ${cachedTokens} cached ones` : "";
  const reasons = { eos: "", stop: "", length: "; --max-tokens reached", context: "; the context is full" };
  const end = stopReason === null ? "; stopped" : reasons[stopReason];
  return `${counted(generatedTokens, "token")}${speed}; prompt ${counted(promptTokens - cachedTokens, "token")}${cached} in ${promptSeconds.toFixed(2)} s${end}`;
}

/** A remark that is no part of the conversation: to stderr, dimmed at a terminal. */
export function note(text: string): void {
  const { isTTY, columns } = process.stderr;
  console.error(isTTY ? `\x1b[2m${wrapWords(text, columns || 80)}\x1b[0m` : text);
}
