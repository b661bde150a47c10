/** Where the text to continue comes from: the command line, standard input or a file. */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { addAbortSignal } from "node:stream";
import type { InferredOptionTypes } from "yargs";
import { systemErrorText } from "../src/errors/system_error.ts";
import { UserError } from "../src/errors/user_error.ts";
import { UsageError } from "./command.ts";

export const promptFlags = {
  prompt: {
    type: "string",
    alias: "p",
    describe: 'Text to continue; "" starts a new document, - reads standard input',
  },
  file: { type: "string", alias: "f", describe: "File with the text to continue; its last line break is left out" },
} as const;

/** All of a stream as text, without its last line break, which an editor or `echo` has put there. */
async function textOf(stream: Readable, name: string, signal: AbortSignal): Promise<string> {
  const parts: Buffer[] = [];
  try {
    for await (const part of addAbortSignal(signal, stream)) parts.push(Buffer.from(part));
  } catch (error) {
    signal.throwIfAborted();
    throw new UserError(`cannot read ${name}: ${systemErrorText(error)}`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts)).replace(/\r?\n$/, "");
  } catch {
    throw new UserError(`${name} is not UTF-8 text`);
  }
}

/**
 * The prompt that the flags name.
 * @throws {UsageError} unless exactly one flag is given; {UserError} if it cannot be read.
 */
export async function readPrompt(
  { prompt, file }: InferredOptionTypes<typeof promptFlags>,
  signal: AbortSignal,
  stdin: NodeJS.ReadStream = process.stdin,
): Promise<string> {
  if (prompt !== undefined && file !== undefined) throw new UsageError("give --prompt or --file, not both");
  if (prompt !== "-" && file !== "-") {
    if (prompt !== undefined) return prompt;
    if (file !== undefined) return textOf(createReadStream(file), file, signal);
    throw new UsageError("the prompt is missing: --prompt TEXT, --prompt - (standard input) or --file FILE");
  }
  if (stdin.isTTY) console.error("type the prompt; Ctrl-D on an empty line ends it");
  return textOf(stdin, "standard input", signal);
}
