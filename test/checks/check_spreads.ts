/** No array of unknown length is spread into the arguments of a call that takes one value for each. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { sourceFiles } from "./source_files.ts";

const calls = /(?:\.push|\.unshift|Math\.max|Math\.min|String\.fromCharCode|String\.fromCodePoint)\(/g;

/** Arguments of the call whose parenthesis opens before `start`, cut at their own level. */
function argumentsAt(text: string, start: number): string[] {
  const parts: string[] = [];
  let depth = 0;
  let begin = start;
  for (let i = start; i < text.length; i++) {
    if ("([{".includes(text[i])) depth++;
    else if (")]}".includes(text[i]) && depth-- === 0) return [...parts, text.slice(begin, i)];
    else if (text[i] === "," && depth === 0) {
      parts.push(text.slice(begin, i));
      begin = i + 1;
    }
  }
  return parts;
}

/** Places with a spread, as `file:line`. */
export function spreadsIn(file: string, text: string): string[] {
  return [...text.matchAll(calls)]
    .filter((call) => argumentsAt(text, call.index + call[0].length).some((part) => part.trim().startsWith("...")))
    .map((call) => `${file}:${text.slice(0, call.index).split("\n").length}`);
}

/** All such places of the product. */
export function findSpreads(root: string): string[] {
  const product = /^(?:src|native|export|training|cli)\/|^index\.ts$/;
  return sourceFiles(root)
    .filter((file) => product.test(file) && file.endsWith(".ts") && !file.startsWith("src/arrays/"))
    .flatMap((file) => spreadsIn(file, readFileSync(path.join(root, file), "utf8")));
}
