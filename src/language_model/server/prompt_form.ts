/** What a request to a completions server carries as its prompt. */
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { ServerError } from "./server_error.ts";

/** Token ids, or, for servers that take none, the text of which the server's tokenizer makes the same ids. */
export type PromptForm = "ids" | "text";

/** True if the server puts BOS in front of the text of `ids` by itself. */
export function isBosImplied(tokenizer: Tokenizer, ids: readonly number[]): boolean {
  return tokenizer.addsBos && ids[0] === tokenizer.bosTokenId;
}

/**
 * The text of `ids`, without a BOS that the server adds.
 * @throws {ServerError} if the text has other ids: it was cut in the middle of a word, or BOS was cut off.
 */
export function promptText(tokenizer: Tokenizer, ids: readonly number[], where: string): string {
  const own = isBosImplied(tokenizer, ids) ? ids.slice(1) : ids;
  const text = tokenizer.decode(own, { skipSpecialTokens: false });
  const again = tokenizer.encode(text);
  if (again.length === ids.length && again.every((id, i) => id === ids[i])) return text;
  throw new ServerError(
    `${where}: a prompt cannot be sent as text (prompts=text), because its text has other token ids: ` +
      `${JSON.stringify(text.length > 60 ? `${text.slice(0, 60)} ...` : text)}`,
  );
}
