/** Lines that a command says of its work: a terminal gets them broken at words, everything else as they are. */
import { gap } from "./fit_fields.ts";
import { wrapWords } from "./word_wrap.ts";

/** The line for a stream; on a terminal its second and later lines are indented. Names and paths are never broken. */
export function folded(line: string, { isTTY, columns }: { isTTY?: boolean; columns?: number }): string {
  if (!isTTY) return line;
  return wrapWords(line, (columns || 80) - gap.length).replaceAll("\n", `\n${gap}`);
}

/** To stdout: what was asked for. */
export function say(line: string): void {
  console.log(folded(line, process.stdout));
}

/** To stderr: notes and warnings. Errors are not folded: they may hold a command to be copied. */
export function sayAside(line: string): void {
  console.error(folded(line, process.stderr));
}
