/** Templates against Python: lm-evaluation-harness's rendering of documents, transformers' of conversations. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Template, TemplateError } from "../../src/eval/task/template.ts";
import { ChatTemplate, type TemplateMessage } from "../../src/tokenizer/chat_template.ts";
import { ChatTemplateError } from "../../src/tokenizer/chat_template_error.ts";

interface Conversation {
  messages: TemplateMessage[];
  add_generation_prompt: boolean;
  tools?: object[];
  documents?: object[];
  [variable: string]: unknown;
}

function golden(name: string) {
  return JSON.parse(readFileSync(new URL(`../golden/jinja/${name}.json`, import.meta.url), "utf8"));
}

const vectors: {
  document: Record<string, unknown>;
  tasks: { template: string; text: string | null }[];
  conversations: Record<string, Conversation>;
  chats: { conversation: string; template: string; text: string | null; spans: [number, number][] }[];
} = golden("vectors");

function renderChat(
  template: string,
  { messages, add_generation_prompt, tools, documents, ...variables }: Conversation,
) {
  const options = { addGenerationPrompt: add_generation_prompt, tools, documents, variables };
  return new ChatTemplate(template, null, "test").renderWithSpans(messages, options);
}

describe("a template of a task gives lm-evaluation-harness's text", () => {
  test.each(vectors.tasks)("$template", ({ template, text }) => {
    // JSON.parse takes the integer beyond 2^53 for a float; templates change lists of their document.
    const document = { ...structuredClone(vectors.document), big: 2n ** 53n + 1n };
    if (text === null) expect(() => new Template(template).render(document)).toThrow(TemplateError);
    else expect(new Template(template).render(document)).toBe(text);
  });
});

describe("a chat template gives transformers' text, and the spans of what it generates", () => {
  test.each(vectors.chats)("$conversation: $template", ({ conversation, template, text, spans }) => {
    const render = () => renderChat(template, vectors.conversations[conversation]);
    if (text === null) {
      expect(render).toThrow(ChatTemplateError);
      return;
    }
    const { text: ours, generated } = render();
    expect(ours).toBe(text);
    const codePoints = (unit: number) => [...ours.slice(0, unit)].length;
    expect(generated.map((span) => span.map(codePoints))).toEqual(spans);
  });
});

const chatReports: { name: string; template: string; messages: TemplateMessage[]; right: string }[] =
  golden("chat_reports");
const taskReports = golden("task_reports");

describe("templates of reports", () => {
  test.each(chatReports)("chat, $name", ({ template, messages, right }) => {
    expect(renderChat(template, { messages, add_generation_prompt: false }).text).toBe(right);
  });
  test.each([...taskReports.wrong, ...taskReports.refused])("task, $template", ({ template, right }) => {
    expect(new Template(template).render(taskReports.document)).toBe(right);
  });
});
