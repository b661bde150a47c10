/** `bitnet-chat` as a user runs it: at a pseudo-terminal, with pipes, with signals. */
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { chatCommandHelp, parseChatLine } from "../../cli/chat_commands.ts";
import { loadModel } from "../../native/inference/index.ts";
import { smallTokenizer } from "../export/small_model.ts";
import { exportChatModel } from "../native/inference/chat_model.ts";
import { exportSmallModel, temporaryFolder } from "../native/inference/exported_model.ts";
import { titleUnless } from "../support/missing.ts";
import { ctrlC, ctrlD, hasPseudoTerminal, PseudoTerminal } from "../support/pseudo_terminal.ts";
import { hasNative } from "../support/tfjs_backends.ts";

// Every test starts processes that load the whole program.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const program = path.join(import.meta.dirname, "../../cli/bin/bitnet-chat.mjs");
const folder = temporaryFolder("bitnet-chat-");
afterAll(() => folder.remove());
const file = path.join(folder.path, "small.gguf");
const slow = path.join(folder.path, "slow.gguf");

function chat(input: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8", input });
  return { status, answers: stdout.trimEnd().split("\n"), remarks: stderr.trimEnd().split("\n") };
}

test("lines that begin with a slash are commands", () => {
  expect(parseChatLine("Hello")).toEqual({ name: "message", text: "Hello" });
  expect(parseChatLine("//etc is a folder")).toEqual({ name: "message", text: "/etc is a folder" });
  expect(parseChatLine("/clear")).toEqual({ name: "reset" });
  expect(parseChatLine("/system  Be   kind. ")).toEqual({ name: "system", text: "Be kind." });
  expect(parseChatLine("/quti")).toMatchObject({ name: "unknown", text: expect.stringContaining("nearest is /quit") });
});

test("/help lists every spelling of every command", () => {
  for (const name of "help ? reset clear new system retry regenerate exit quit bye".split(" ")) {
    expect(parseChatLine(`/${name}`).name).not.toBe("unknown");
    expect(chatCommandHelp).toMatch(new RegExp(`/${name.replace("?", "\\?")}(?![a-z])`));
  }
});

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the addon", "bitnet-chat"), () => {
  beforeAll(async () => {
    await exportChatModel(file);
    // Answers of this one take seconds.
    await exportChatModel(slow, {
      hidden_size: 1024,
      intermediate_size: 2816,
      num_hidden_layers: 6,
      num_attention_heads: 16,
      num_key_value_heads: 4,
      max_position_embeddings: 4096,
    });
  });

  const sampled = ["--temperature", "1", "--top-k", "12", "--seed", "7", "--max-tokens", "20"];

  test("answers piped lines as the library does, and keeps what it has read", async () => {
    const input = "Hello\n\n/system Be kind.\nIn two\\\nlines\n/retry\n/nonsense\n/exit\nnever read\n";
    const { status, answers, remarks } = chat(input, "--model", file, ...sampled);
    expect(status).toBe(0);
    const model = await loadModel(file);
    const options = { temperature: 1, topK: 12, maxTokens: 20 };
    const conversation = model.startConversation();
    const expected = [(await conversation.send("Hello", { ...options, seed: 7 }).finish()).text];
    conversation.reset("Be kind.");
    expected.push((await conversation.send("In two\nlines", { ...options, seed: 8 }).finish()).text);
    expected.push((await conversation.retry({ ...options, seed: 9 }).finish()).text);
    model.dispose();
    expect(answers).toEqual(expected);
    expect(remarks[0]).toContain("seed 7");
    const speed =
      /^20 tokens, \d+\.\d tokens\/s; prompt \d+ tokens?( and \d+ cached ones)? in \d\.\d\d s; --max-tokens/;
    expect(remarks.filter((line) => speed.test(line))).toHaveLength(3);
    // All but the last token of the prompt was there when the answer was tried again.
    expect(remarks.at(-2)).toContain("prompt 1 token and ");
    expect(remarks).toContain("a new conversation");
    expect(remarks.at(-1)).toContain("unknown command /nonsense");
  });

  test("says when the context is full, forgets the oldest messages, refuses what does not fit", () => {
    const lines = ["a", "b", "c", "d"].map((letter) => letter.repeat(20));
    const { status, answers, remarks } = chat(
      `${lines.join("\n")}\n${"x".repeat(300)}\nlast\n`,
      ...["--model", file, "--context-length", "160", ...sampled],
    );
    expect(answers).toHaveLength(5);
    expect(remarks).toContain("the context is full: the oldest 4 messages are forgotten");
    expect(remarks.find((line) => line.startsWith("the message is too long"))).toContain("the context 160");
    expect(status).toBe(1);
    const full = chat("Hello\n", "--model", file, "--context-length", "64", "--temperature", "0");
    expect(full.remarks.at(-1)).toMatch(/; the context is full$/);
  });

  test("needs a chat template, and takes one", async () => {
    const plain = path.join(folder.path, "plain.gguf");
    await exportSmallModel(plain, "tq2_0", {}, smallTokenizer());
    const without = chat("Hello\n", "--model", plain);
    expect(without.status).toBe(1);
    expect(without.remarks.at(-1)).toContain(
      "plain.gguf has no chat template: the metadata key tokenizer.chat_template is missing (give one with --chat-template",
    );
    const template = path.join(folder.path, "template.jinja");
    writeFileSync(template, "{% for m in messages %}{{ m.content }}{% endfor %}");
    const given = chat("Hello\n", "--model", plain, "--chat-template", template, "--max-tokens", "3");
    expect(given.status).toBe(0);
    expect(given.remarks.at(-1)).toMatch(/^3 tokens,.* prompt 5 tokens in/);
    const wrong = chat("", "--model", plain, "--chat-template", "nowhere.jinja");
    expect(wrong.status).toBe(2);
    expect(wrong.remarks).toEqual([
      "bitnet-chat: --chat-template nowhere.jinja: no such file, nor one of bitnet-b1.58-2B-4T (see bitnet-chat --help)",
    ]);
  });

  test("SIGINT ends an answer, then the wait for a line", async () => {
    const child = spawn(process.execPath, [program, "--model", slow, "--temperature", "0"]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const exited = new Promise((resolve) => child.on("exit", resolve));
    child.stdin.write("Hello\n");
    await vi.waitUntil(() => stdout.length > 5, 60_000);
    child.kill("SIGINT");
    await vi.waitUntil(() => stderr.includes("; stopped"), 60_000);
    const length = stdout.length;
    child.stdin.write("Again\n");
    await vi.waitUntil(() => stdout.length > length + 5, 60_000);
    child.kill("SIGINT");
    await vi.waitUntil(() => stderr.split("; stopped").length === 3, 60_000);
    child.kill("SIGINT");
    expect(await exited).toBe(130);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe("bitnet-chat: interrupted");
  });

  describe.skipIf(!hasPseudoTerminal)(titleUnless(!hasPseudoTerminal, "python3", "at a terminal"), () => {
    async function withTerminal(body: (terminal: PseudoTerminal) => Promise<void>, ...args: string[]) {
      const terminal = new PseudoTerminal(process.execPath, [program, "--model", slow, "--temperature", "0", ...args]);
      try {
        await body(terminal);
      } finally {
        terminal.kill();
      }
    }

    test("Ctrl-C stops the answer, clears a line, and leaves when pressed twice", () =>
      withTerminal(async (terminal) => {
        await terminal.waitFor(/\/help lists the commands[^>]*> /);
        terminal.type("Hello\r");
        await terminal.waitFor(/[a-z]{10}/i);
        terminal.type(ctrlC);
        await terminal.waitFor(/; stopped[^>]*> /);
        terminal.type("half a li");
        await terminal.waitFor(/half a li/);
        terminal.type(ctrlC);
        await terminal.waitFor(/\^C\s+.*> /);
        // The next message is new, the conversation is the old one.
        terminal.type("Again\r");
        await terminal.waitFor(/[a-z]{10}/i);
        terminal.type(ctrlC);
        const shown = await terminal.waitFor(/cached ones.*; stopped[^>]*> /);
        expect(shown).toMatch(/prompt \d+ tokens? and \d\d+ cached ones/);
        terminal.type(ctrlC);
        await terminal.waitFor(/Ctrl-C again[^>]*> /);
        terminal.type(ctrlC);
        expect(await terminal.exited).toBe(0);
      }));

    test("what is typed or pasted meanwhile waits; Ctrl-D leaves", () =>
      withTerminal(
        async (terminal) => {
          await terminal.waitFor(/> /);
          terminal.type("One\rTwo\r/system\r");
          for (let i = 0; i < 2; i++) await terminal.waitFor(/5 tokens, \d+\.\d tokens\/s/);
          await terminal.waitFor(/there is no system message[^>]*> /);
          terminal.type(ctrlD);
          expect(await terminal.exited).toBe(0);
        },
        "--max-tokens",
        "5",
      ));
  });
});
