/**
 * The prompt of a document (`fewshot_context` and `build_qa_turn` of lm-evaluation-harness 0.4): system instruction and
 * description, solved examples, the question; as one text, or as a conversation that a chat template formats.
 */
import { append } from "../../arrays/large_arrays.ts";
import { DocumentError, type JsonObject } from "../../data/document.ts";
import type { LocatedDocument } from "../../data/document_file.ts";
import { UserError } from "../../errors/user_error.ts";
import { isNumeric, pythonRepr } from "../../python/values.ts";
import { isSpace } from "../../python/whitespace.ts";
import { type LocatedProblem, missingField } from "../data/document_problem.ts";
import type { DocumentReader } from "../data/document_reader.ts";
import { choiceAt } from "../data/gold.ts";
import type { PromptRules, Task } from "../task/task.ts";
import type { ChatPrompt } from "./chat_prompt.ts";

export interface PromptOptions {
  systemInstruction?: string;
  chatTemplate?: ChatPrompt;
  /** Examples are turns of the conversation; otherwise they stand in one message with the question. */
  fewshotAsMultiturn?: boolean;
}

interface Message {
  role: "system" | "user" | "assistant";
  content: string;
  /** Follows in plain text. */
  delimiter: string;
}

const endsInSpace = (text: string) => isSpace([...text].at(-1) ?? "");
const startsWithSpace = (text: string) => isSpace([...text][0] ?? "");

/** Joined by `delimiter` unless one is empty or has whitespace at the seam. */
function join(first: string, second: string, delimiter: string): string {
  if (first === "" || second === "") return first + second;
  return endsInSpace(first) || startsWithSpace(second) ? first + second : first + delimiter + second;
}

/** What stands between the question and the start of the answer. */
function beforePrefix(question: string, prefix: string, delimiter: string): string {
  return question === "" || endsInSpace(question) || startsWithSpace(prefix) ? "" : delimiter;
}

export class PromptBuilder {
  private readonly task: Task;
  private readonly reader: DocumentReader;
  private readonly options: PromptOptions;
  private readonly examples = new Map<LocatedDocument, Message[]>();
  /** What is wrong with the examples that were used. */
  readonly problems: LocatedProblem[] = [];

  constructor(task: Task, reader: DocumentReader, options: PromptOptions = {}) {
    this.task = task;
    this.reader = reader;
    this.options = options;
  }

  /**
   * The context of `document`; one for each choice where the choices stand in the context.
   * @throws {DocumentError}
   */
  context(document: JsonObject, examples: readonly LocatedDocument[]): string | string[] {
    const { reader, task } = this;
    const { fewshotDelimiter, targetDelimiter } = task.prompt;
    const system = join(this.options.systemInstruction ?? "", reader.description(document), fewshotDelimiter);
    const before: Message[] = system === "" ? [] : [{ role: "system", content: system, delimiter: "" }];
    for (const example of examples) append(before, this.example(example));
    const prefix = reader.genPrefix(document);
    const ask = (question: string, delimiter: string) => this.format([...before, ...turn(question, prefix, delimiter)]);
    if (reader.hasContextChoices) return reader.choices(document)!.map((choice) => ask(choice, ""));
    return ask(question(reader, document, task.prompt), targetDelimiter);
  }

  /** The question of an example, as it stands in the prompt. */
  questionOf(example: LocatedDocument): string {
    return this.example(example)[0].content;
  }

  /** Question and answer of an example. */
  private example(example: LocatedDocument): Message[] {
    let messages = this.examples.get(example);
    if (messages === undefined) {
      try {
        messages = this.solved(example.document);
        this.remark(example);
      } catch (error) {
        // The caller knows only where the test document is.
        if (error instanceof DocumentError) throw new ExampleError(`${example.place}: ${error.message}`);
        throw error;
      }
      this.examples.set(example, messages);
    }
    return messages;
  }

  private remark({ document, place, missing = [] }: LocatedDocument): void {
    const { reader } = this;
    const { rules } = this.task.fewshot;
    const choices = reader.hasContextChoices ? null : reader.choices(document, rules);
    // A text is the answer itself.
    const isIndex = choices !== null && [reader.target(document, rules)].flat().every(isNumeric);
    const problem = isIndex ? reader.gold(document, choices, rules).problem : null;
    if (problem !== null) this.problems.push({ place, kind: "label", message: problem });
    for (const name of reader.shownFields(document, missing, rules)) {
      this.problems.push({ place, ...missingField(name) });
    }
  }

  private solved(document: JsonObject): Message[] {
    const { reader } = this;
    const { rules } = this.task.fewshot;
    const { targetDelimiter, fewshotDelimiter } = rules;
    const choices = reader.choices(document, rules);
    const asked = question(reader, document, rules);
    const prefix = reader.genPrefix(document, rules);
    const answer = answerText(reader.target(document, rules), reader.hasContextChoices ? null : choices);
    if (answer === "") return turn(asked, prefix, targetDelimiter);
    const delimiter = prefix ? beforePrefix(asked, prefix, targetDelimiter) : targetDelimiter;
    return [
      { role: "user", content: asked, delimiter },
      { role: "assistant", content: join(prefix ?? "", answer, " "), delimiter: fewshotDelimiter },
    ];
  }

  private format(messages: readonly Message[]): string {
    const { chatTemplate, fewshotAsMultiturn } = this.options;
    if (chatTemplate === undefined) return plainText(messages);
    const chat = fewshotAsMultiturn ? messages : singleTurn(messages);
    return chatTemplate.apply(chat.map(({ role, content }) => ({ role, content })));
  }
}

/** An example cannot be used; the message says where it is. */
export class ExampleError extends UserError {
  override name = "ExampleError";
}

function question(reader: DocumentReader, document: JsonObject, rules: PromptRules): string {
  const text = reader.text(document, rules);
  if (typeof text === "string") return text;
  const choices = reader.choices(document, rules);
  const chosen = reader.hasContextChoices ? choices?.[text] : undefined;
  if (chosen === undefined) throw new DocumentError(`doc_to_text must give a text, not ${text}`);
  return chosen;
}

/** Empty if there is no answer. */
function answerText(target: unknown, choices: readonly string[] | null): string {
  const first = Array.isArray(target) ? target[0] : target;
  if (choices !== null && isNumeric(first)) {
    const choice = choiceAt(first, choices);
    if (choice === undefined)
      throw new DocumentError(`the target ${first} is not one of the ${choices.length} choices`);
    return choice;
  }
  if (first === null || first === undefined) return "";
  if (typeof first === "string") return first;
  throw new DocumentError(`the target of an example must be a text, not ${pythonRepr(first)}`);
}

/** The question, and the beginning of the answer if there is one. */
function turn(question: string, prefix: string | null, delimiter: string): Message[] {
  if (!prefix) return [{ role: "user", content: question, delimiter: "" }];
  return [
    { role: "user", content: question, delimiter: beforePrefix(question, prefix, delimiter) },
    { role: "assistant", content: prefix, delimiter: "" },
  ];
}

function plainText(messages: readonly Message[]): string {
  return messages.map(({ content, delimiter }) => content + delimiter).join("");
}

/** All examples and the question as one message of the user. */
function singleTurn(messages: readonly Message[]): Message[] {
  const system = messages.filter(({ role }) => role === "system");
  const rest = messages.slice(system.length);
  const answer = rest.at(-1)?.role === "assistant" ? rest.slice(-1) : [];
  const asked = rest.slice(0, rest.length - answer.length);
  const content = plainText(asked.with(-1, { ...asked.at(-1)!, delimiter: "" }));
  return [...system, { role: "user", content, delimiter: "" }, ...answer];
}
