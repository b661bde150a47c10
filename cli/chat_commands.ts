/** The lines of a chat that are commands, not messages: they begin with a slash. */
import { nearestName } from "../src/errors/nearest_name.ts";

export type ChatCommand =
  | { name: "message"; text: string }
  | { name: "help" | "reset" | "retry" | "exit" }
  | { name: "system"; text: string }
  | { name: "unknown"; text: string };

/** Spellings that users of other programs try. */
const names: Record<string, "help" | "reset" | "retry" | "exit" | "system"> = {
  help: "help",
  "?": "help",
  reset: "reset",
  clear: "reset",
  new: "reset",
  system: "system",
  retry: "retry",
  regenerate: "retry",
  exit: "exit",
  quit: "exit",
  bye: "exit",
};

export const chatCommandHelp = `/help            this list
/reset           forget the conversation (/clear)
/system TEXT     start again under the system message TEXT; without TEXT: show it; /system "" removes it
/retry           answer the last message again
/exit            leave (/quit, Ctrl-D, Ctrl-C twice)
A line that ends in \\ goes on in the next one. A message that begins with / is written with //.`;

/** What a line asks for. */
export function parseChatLine(line: string): ChatCommand {
  if (!line.startsWith("/")) return { name: "message", text: line };
  if (line.startsWith("//")) return { name: "message", text: line.slice(1) };
  const [word, ...rest] = line.slice(1).split(/\s+/);
  const text = rest.join(" ").trim();
  const name = names[word.toLowerCase()];
  if (name === undefined) {
    const nearest = nearestName(
      word,
      Object.keys(names).filter((known) => known !== "?"),
    );
    return { name: "unknown", text: `unknown command /${word}; the nearest is /${nearest}, /help lists all` };
  }
  return name === "system" ? { name, text } : { name };
}
