/**
 * Documents as they travel from the readers to the tokenizer: in parts, so that a file of any size passes through a
 * bounded amount of memory.
 */

export interface DocumentPart {
  text: string;
  /** The part opens its document. */
  first: boolean;
  /** The part ends its document (its text may be empty then). */
  last: boolean;
}

/** Parts are cut at about this many characters: small beside any heap, large beside a message to a worker. */
export const partLength = 1 << 18;

const letter = /\p{L}/u;

/**
 * Where to cut `text`, at most `length` characters in. Between a letter and a space followed by a letter every
 * byte-level pre-tokenizer starts a new piece, so cutting there leaves the token ids as they are; only a text without
 * such a place is cut elsewhere.
 */
export function cutPosition(text: string, length: number): number {
  for (let i = length; i > length / 2; i--) {
    if (text[i] === " " && letter.test(text[i - 1]) && letter.test(text[i + 1] ?? "")) return i;
  }
  const isLowSurrogate = (text.charCodeAt(length) & 0xfc00) === 0xdc00;
  return isLowSurrogate ? length - 1 : length;
}

/** The parts of one document whose text is at hand; none if there is nothing but white space in it. */
export function* cutDocument(text: string, length: number = partLength): Generator<DocumentPart> {
  if (text.trim() === "") return;
  let rest = text;
  let first = true;
  while (rest.length > 2 * length) {
    const cut = cutPosition(rest, length);
    yield { text: rest.slice(0, cut), first, last: false };
    rest = rest.slice(cut);
    first = false;
  }
  yield { text: rest, first, last: true };
}

/**
 * What finds `separator`: a line break in it is any of LF, CRLF and CR, whatever system wrote the file. A CR that belongs to
 * a CRLF is no break of its own.
 */
function separatorPattern(separator: string): RegExp {
  const literal = separator.replaceAll(/\r\n?/g, "\n").replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(literal.replaceAll("\n", "(?:\\r\\n|\\n|\\r(?!\\n))"), "g");
}

/**
 * Splits a stream of text into documents at a separator, which belongs to none of them, and cuts long ones into
 * parts. With a separator the line breaks around a document are dropped, and so are documents without text; without
 * one, the whole stream is one document. How the stream is chopped into chunks does not matter.
 */
export class DocumentSplitter {
  private readonly separator: RegExp | null;
  /** The longest that a separator can be. */
  private readonly separatorLength: number;
  private readonly length: number;
  private buffer = "";
  private first = true;

  constructor(separator: string | null, length: number = partLength) {
    this.separator = separator === null ? null : separatorPattern(separator);
    this.separatorLength = separator === null ? 0 : 2 * separator.length;
    this.length = length;
  }

  *push(chunk: string): Generator<DocumentPart> {
    this.buffer += chunk;
    yield* this.split(false);
    // The last characters may be the beginning of a separator.
    const uncertain = Math.max(0, this.separatorLength - 1);
    this.buffer = this.trimStart(this.buffer);
    this.buffer = yield* this.cutLong(this.buffer, uncertain);
  }

  *end(): Generator<DocumentPart> {
    yield* this.split(true);
    const rest = this.buffer;
    this.buffer = "";
    yield* this.endDocument(rest);
  }

  /** Ends the documents that separators in the buffer end. A CR at its end may be half of a CRLF. */
  private *split(isEnd: boolean): Generator<DocumentPart> {
    if (this.separator === null) return;
    let start = 0;
    this.separator.lastIndex = 0;
    for (let match = this.separator.exec(this.buffer); match; match = this.separator.exec(this.buffer)) {
      const end = match.index + match[0].length;
      if (!isEnd && end === this.buffer.length && match[0].endsWith("\r")) break;
      yield* this.endDocument(this.buffer.slice(start, match.index));
      start = end;
      this.separator.lastIndex = end;
    }
    this.buffer = this.buffer.slice(start);
  }

  private trimStart(text: string): string {
    return this.separator !== null && this.first ? text.replace(/^[\r\n]+/, "") : text;
  }

  private *cutLong(text: string, uncertain: number): Generator<DocumentPart, string> {
    let rest = text;
    while (rest.length - uncertain > 2 * this.length) {
      const cut = cutPosition(rest, this.length);
      yield { text: rest.slice(0, cut), first: this.first, last: false };
      this.first = false;
      rest = rest.slice(cut);
    }
    return rest;
  }

  private *endDocument(text: string): Generator<DocumentPart> {
    const rest = yield* this.cutLong(this.trimStart(text), 0);
    const trimmed = this.separator === null ? rest : rest.replace(/[\r\n]+$/, "");
    if (!this.first || trimmed.trim() !== "") yield { text: trimmed, first: this.first, last: true };
    this.first = true;
  }
}
