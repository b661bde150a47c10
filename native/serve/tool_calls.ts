/**
 * Calls of functions in an answer: `<tool_call>{"name": ..., "arguments": ...}</tool_call>`, as Hermes' and Qwen's templates
 * ask for them. Other forms stay text.
 */
import { randomUUID } from "node:crypto";

export interface ToolCall {
  id: string;
  type: "function";
  function: {
    name: string;
    /** JSON */
    arguments: string;
  };
}

const opening = "<tool_call>";
const closing = "</tool_call>";

/** Takes an answer piece by piece, and keeps from the first call on what may be one. */
export class ToolCallReader {
  #held = "";

  /** Text of the answer that is no part of a call. */
  push(text: string): string {
    this.#held += text;
    const at = this.#held.indexOf(opening);
    const shown = at >= 0 ? at : this.#held.length - openPart(this.#held);
    const settled = this.#held.slice(0, shown);
    this.#held = this.#held.slice(shown);
    return settled;
  }

  /** At the end of the answer: its calls, and what else was kept. */
  end(): { text: string; calls: ToolCall[] } {
    const calls: ToolCall[] = [];
    let text = "";
    let rest = this.#held;
    this.#held = "";
    for (let at = rest.indexOf(opening); at >= 0; at = rest.indexOf(opening)) {
      const end = rest.indexOf(closing, at);
      const call = readCall(rest.slice(at + opening.length, end < 0 ? undefined : end));
      const behind = end < 0 ? rest.length : end + closing.length;
      if (call === null) text += rest.slice(0, behind);
      else {
        calls.push(call);
        text += rest.slice(0, at);
      }
      rest = rest.slice(behind);
    }
    text += rest;
    return { text: calls.length > 0 && text.trim() === "" ? "" : text, calls };
  }
}

/** Length of the longest end of `text` that may become the opening of a call. */
function openPart(text: string): number {
  for (let length = Math.min(opening.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(opening.slice(0, length))) return length;
  }
  return 0;
}

function readCall(json: string): ToolCall | null {
  try {
    const { name, arguments: given } = JSON.parse(json) as { name?: unknown; arguments?: unknown };
    if (typeof name !== "string") return null;
    const text = typeof given === "string" ? given : JSON.stringify(given ?? {});
    return {
      id: `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`,
      type: "function",
      function: { name, arguments: text },
    };
  } catch {
    return null;
  }
}

/** Messages as templates want them: arguments of earlier calls as objects. */
export function parsedArguments(calls: unknown): unknown {
  if (!Array.isArray(calls)) return calls;
  return calls.map((call: { function?: { arguments?: unknown } }) => {
    const given = call?.function?.arguments;
    if (typeof given !== "string") return call;
    try {
      return { ...call, function: { ...call.function, arguments: JSON.parse(given) as unknown } };
    } catch {
      return call;
    }
  });
}
