import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { byteLevelTokenizer } from "../../src/tokenizer/byte_level_tokenizer.ts";
import { ChatTemplate, knownChatTemplates } from "../../src/tokenizer/chat_template.ts";
import { ChatTemplateError } from "../../src/tokenizer/chat_template_error.ts";
import { chatTemplates, chooseChatTemplate } from "../../src/tokenizer/chat_templates.ts";
import { loadTokenizer } from "../../src/tokenizer/load_tokenizer.ts";

const conversation = [
  { role: "system", content: "Be brief." },
  { role: "user", content: " Hello! \n" },
  { role: "assistant", content: "Hi." },
  { role: "user", content: "Bye" },
];
const llama3 = { bos_token: "<|begin_of_text|>", eos_token: { content: "<|end_of_text|>" } };

const bitnet2B4T = knownChatTemplates.get("bitnet-b1.58-2B-4T")!;

/** The template that is used where none is named. */
const chatTemplateSource = (config: Record<string, unknown> | null) => chatTemplates(config).get("default") ?? null;

describe("a chat template", () => {
  it("of BitNet 2B4T gives the text of the published tokenizer", () => {
    const template = new ChatTemplate(bitnet2B4T, llama3, "test");
    expect(template.render(conversation)).toBe(
      "<|begin_of_text|>System: Be brief.<|eot_id|>User: Hello!<|eot_id|>Assistant: Hi.<|eot_id|>User: Bye<|eot_id|>Assistant: ",
    );
    expect(template.render(conversation.slice(1, 2), { addGenerationPrompt: false })).toBe(
      "<|begin_of_text|>User: Hello!<|eot_id|>",
    );
  });

  it("of BitNet 2B4T does without a token that the tokenizer lacks", () => {
    expect(new ChatTemplate(bitnet2B4T, null, "test").render([{ role: "user", content: "Hi" }])).toBe(
      "User: Hi<|eot_id|>Assistant: ",
    );
  });

  it("of Microsoft's GGUF converter, a placeholder, is replaced by 2B4T's own", () => {
    const placeholder =
      "{% for message in messages %}{{ 'Human: ' + message['content'] + '\\n\\nBITNETAssistant: ' + eos_token }}{% endfor %}";
    expect(new ChatTemplate(placeholder, llama3, "test")).toMatchObject({ source: bitnet2B4T, isReplacement: true });
    expect(new ChatTemplate(bitnet2B4T, llama3, "test").isReplacement).toBe(false);
  });

  it("sees the special tokens and trims blocks as transformers does", () => {
    const source =
      "{% for m in messages %}\n  {% if m.role == 'user' %}\n[{{ m.content }}]{{ eos_token }}\n{% endif %}\n{% endfor %}";
    expect(new ChatTemplate(source, llama3, "test").render(conversation)).toBe(
      "[ Hello! \n]<|end_of_text|>\n[Bye]<|end_of_text|>\n",
    );
  });

  it("that is not valid, or refuses the messages, says so with its origin", () => {
    expect(() => new ChatTemplate("{% for %}", null, "m.gguf")).toThrow(ChatTemplateError);
    expect(() => new ChatTemplate("{% for %}", null, "m.gguf")).toThrow("m.gguf: the chat template is not valid");
    const strict = new ChatTemplate("{{ raise_exception('roles must alternate') }}", null, "m.gguf");
    expect(() => strict.render(conversation)).toThrow("m.gguf: the chat template fails: roles must alternate");
  });
});

describe("the template of a tokenizer", () => {
  it("is that of tokenizer_config.json, or the default one of several", () => {
    expect(chatTemplateSource(null)).toBeNull();
    expect(chatTemplateSource({ chat_template: "a" })).toBe("a");
    const several = [
      { name: "tool_use", template: "t" },
      { name: "default", template: "d" },
    ];
    expect(chatTemplateSource({ chat_template: several })).toBe("d");
    expect(chatTemplateSource({ chat_template: { default: "d", rag: "r" } })).toBe("d");
  });

  it("may stand in chat_template.jinja, as newer versions of transformers write it", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "chat-template-"));
    try {
      writeFileSync(path.join(folder, "tokenizer.json"), JSON.stringify(byteLevelTokenizer().json));
      writeFileSync(path.join(folder, "chat_template.jinja"), "{{ messages[0].content }}\n");
      expect(chatTemplateSource(loadTokenizer(folder).config)).toBe("{{ messages[0].content }}\n");
      writeFileSync(path.join(folder, "tokenizer_config.json"), JSON.stringify({ eos_token: "<|endoftext|>" }));
      expect(loadTokenizer(folder).config).toMatchObject({ eos_token: "<|endoftext|>" });
      expect(chatTemplateSource(loadTokenizer(path.join(folder, "tokenizer.json")).config)).toContain("content");
      // A file wins over the configuration.
      const config = JSON.stringify({ chat_template: "A:{{ messages[0].content }}" });
      writeFileSync(path.join(folder, "tokenizer_config.json"), config);
      expect(chatTemplateSource(loadTokenizer(folder).config)).toBe("{{ messages[0].content }}\n");
      mkdirSync(path.join(folder, "additional_chat_templates"));
      writeFileSync(path.join(folder, "additional_chat_templates/tool_use.jinja"), "T");
      const templates = chatTemplates(loadTokenizer(folder).config);
      expect([...templates.keys()]).toEqual(["default", "tool_use"]);
      expect(chooseChatTemplate(templates, "tool_use")).toBe("T");
      rmSync(path.join(folder, "chat_template.jinja"));
      const unnamed = chatTemplates(loadTokenizer(folder).config);
      expect(() => chooseChatTemplate(unnamed, undefined)).toThrow(/no default: name one of tool_use/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
