/** The lines of a chat that are commands, not messages: they begin with a slash. */
import { nearestName } from "../src/errors/nearest_name.ts";

export type ChatCommand =
  | { name: "message"; text: string }
  | { name: "help" | "reset" | "retry" | "exit" }
  | { name: "system"; text: string }
  | { name: "unknown"; text: string };

type CommandName = "help" | "reset" | "system" | "retry" | "exit";

/** What each command does, and other spellings, which users of other programs try. */
const commands: Record<CommandName, { does: string; others: readonly string[]; argument?: string; keys?: string }> = {
  help: { does: "this list", others: ["?"] },
  reset: { does: "forget the conversation", others: ["clear", "new"] },
  system: {
    does: 'start again under this system message (alone: shows it, "": none)',
    others: [],
    argument: " TEXT",
  },
  retry: { does: "answer the last message again", others: ["regenerate"] },
  exit: { does: "leave", others: ["quit", "bye"], keys: "Ctrl-D, Ctrl-C twice" },
};

const names = new Map(
  Object.entries(commands).flatMap(([name, { others }]) =>
    [name, ...others].map((spelling) => [spelling, name as CommandName] as const),
  ),
);

export const chatCommandHelp = [
  ...Object.entries(commands).map(([name, { does, others, argument = "", keys }]) => {
    const also = [...others.map((other) => `/${other}`), ...(keys ? [keys] : [])];
    return `${`/${name}${argument}`.padEnd(16)} ${does}${also.length > 0 ? ` (also ${also.join(", ")})` : ""}`;
  }),
  "Ctrl-C stops an answer. A line that ends in \\ goes on in the next one.",
  "A message that begins with / is written with //.",
].join("\n");

/** What a line asks for. */
export function parseChatLine(line: string): ChatCommand {
  if (!line.startsWith("/")) return { name: "message", text: line };
  if (line.startsWith("//")) return { name: "message", text: line.slice(1) };
  const [word, ...rest] = line.slice(1).split(/\s+/);
  const text = rest.join(" ").trim();
  const name = names.get(word.toLowerCase());
  if (name === undefined) {
    const near = nearestName(word, names.keys());
    const hint = near === undefined ? "" : `the nearest is /${near}, `;
    return { name: "unknown", text: `unknown command /${word}; ${hint}/help lists all` };
  }
  return name === "system" ? { name, text } : { name };
}
