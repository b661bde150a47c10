/** Conversations: what the model sees, what stays in the cache, what is forgotten when the context is full. */
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Conversation, EngineRequestError, loadModel, type TextModel } from "../../../native/inference/index.ts";
import { exportChatModel } from "./chat_model.ts";
import { temporaryFolder } from "./exported_model.ts";

const folder = temporaryFolder("conversation-");
afterAll(() => folder.remove());
let model: TextModel;
beforeAll(async () => {
  const file = path.join(folder.path, "model.gguf");
  await exportChatModel(file);
  model = await loadModel(file, { threads: 2 });
});
afterAll(() => model.dispose());

const open: Conversation[] = [];
function start(options: Parameters<TextModel["startConversation"]>[0] = {}): Conversation {
  open.push(model.startConversation(options));
  return open[open.length - 1];
}
afterEach(() => {
  for (const conversation of open.splice(0)) conversation.dispose();
});

/** A message that the tokenizer of bytes splits into `length` tokens. */
const message = (length: number, letter = "x") => letter.repeat(length);

describe("a conversation", () => {
  it("answers as one prompt of all messages would be answered", async () => {
    const conversation = start({ system: "Be brief." });
    const first = await conversation.send("Hello", { maxTokens: 12 }).finish();
    const alone = await model
      .generate(
        [
          { role: "system", content: "Be brief." },
          { role: "user", content: "Hello" },
        ],
        { maxTokens: 12 },
      )
      .finish();
    expect(first.tokens).toEqual(alone.tokens);
    expect(conversation.messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hello" },
      { role: "assistant", content: first.text },
    ]);
  });

  it("runs only what is new, with the ids that the model itself drew", async () => {
    const conversation = start();
    const first = await conversation.send("Hello", { maxTokens: 8 }).finish();
    expect(first.text).toMatch(/^[a-z]{8}$/i);
    const second = conversation.send("Again", { maxTokens: 10 });
    await second.finish();
    // The last token drawn has not run yet.
    const seen = 1 + "User: Hello".length + 1 + "Assistant: ".length + 7;
    const added = 1 + 1 + "User: Again".length + 1 + "Assistant: ".length;
    expect(second.usage).toMatchObject({ cachedTokens: seen, promptTokens: seen + added });
    const whole = model.generate(conversation.messages.slice(0, 3), { maxTokens: 10 });
    expect((await whole.finish()).tokens).toEqual(second.tokens);
    expect(whole.usage.promptTokens).toBe(second.usage.promptTokens);
  });

  it("answers again, and starts again", async () => {
    const conversation = start();
    const options = { maxTokens: 20, temperature: 1, topK: 12 };
    const first = await conversation.send("Hello", { ...options, seed: 1 }).finish();
    const second = await conversation.retry({ ...options, seed: 2 }).finish();
    expect(second.text).not.toBe(first.text);
    // All but the last token of the prompt was there.
    expect(second.usage.cachedTokens).toBe(second.usage.promptTokens - 1);
    expect(conversation.messages.map(({ content }) => content)).toEqual(["Hello", second.text]);
    expect((await conversation.retry({ ...options, seed: 1 }).finish()).text).toBe(first.text);
    conversation.reset("Be kind.");
    expect(conversation.messages).toEqual([{ role: "system", content: "Be kind." }]);
    conversation.reset("");
    expect(conversation.messages).toEqual([]);
    expect(() => conversation.retry()).toThrow(EngineRequestError);
  });

  it("keeps what was said before an abort, and goes on", async () => {
    const conversation = start();
    const controller = new AbortController();
    const aborted = conversation.send("Hello", { temperature: 1, topK: 12, signal: controller.signal });
    const outcome = (async () => {
      for await (const _ of aborted) if (aborted.text.length >= 5) controller.abort();
    })();
    await expect(outcome).rejects.toMatchObject({ name: "AbortError" });
    expect(conversation.messages).toEqual([
      { role: "user", content: "Hello" },
      { role: "assistant", content: aborted.text },
    ]);
    const next = await conversation.send("More", { maxTokens: 5 }).finish();
    const whole = await model.generate(conversation.messages.slice(0, 3), { maxTokens: 5 }).finish();
    expect(next.text).toBe(whole.text);
    // Before the first character nothing is kept.
    await expect(conversation.send("Late", { signal: AbortSignal.abort() }).finish()).rejects.toThrow();
    expect(conversation.messages).toHaveLength(4);
  });

  it("gives one answer at a time", async () => {
    const conversation = start();
    const first = conversation.send("Hello", { maxTokens: 5 }).finish();
    await expect(conversation.send("Me too", { maxTokens: 5 }).finish()).rejects.toThrow("answering already");
    await first;
    expect(conversation.messages).toHaveLength(2);
  });
});

describe("a full context", () => {
  it("forgets the oldest exchanges, never the system message", async () => {
    const conversation = start({ system: "Rules.", contextLength: 256 });
    const asked: string[] = [];
    for (let turn = 0; turn < 12; turn++) {
      asked.push(message(20, String.fromCharCode(97 + turn)));
      const answer = await conversation
        .send(asked[turn], { maxTokens: 16, temperature: 1, topK: 12, seed: turn })
        .finish();
      expect(answer.usage.promptTokens + answer.tokens.length).toBeLessThanOrEqual(257);
      expect(["length", "eos"]).toContain(answer.stopReason);
      // The answer is that of a prompt of what is remembered.
      const seen = conversation.messages.slice(0, -1);
      expect(answer.text).toBe(
        (await model.generate(seen, { maxTokens: 16, temperature: 1, topK: 12, seed: turn }).finish()).text,
      );
    }
    expect(conversation.forgottenMessages).toBeGreaterThan(0);
    expect(conversation.forgottenMessages % 2).toBe(0);
    const [system, ...rest] = conversation.messages;
    expect(system).toEqual({ role: "system", content: "Rules." });
    expect(rest.length + conversation.forgottenMessages).toBe(24);
    expect(rest.filter(({ role }) => role === "user").map(({ content }) => content)).toEqual(
      asked.slice(-rest.length / 2),
    );
  });

  it("ends a long answer with the reason, and the next message is answered", async () => {
    const conversation = start({ contextLength: 128 });
    const long = await conversation.send("Hello", { temperature: 1, topK: 12, seed: 5 }).finish();
    expect(long.stopReason).toBe("context");
    const next = await conversation.send("Bye", { maxTokens: 10 }).finish();
    expect(next.stopReason).toBe("length");
    expect(conversation.messages[0]).toEqual({ role: "user", content: "Bye" });
    expect(conversation.forgottenMessages).toBe(2);
  });

  it("refuses a message that does not fit alone, and keeps the conversation", async () => {
    const conversation = start({ contextLength: 128 });
    await conversation.send("Hello", { maxTokens: 5 }).finish();
    await expect(conversation.send(message(200), { maxTokens: 5 }).finish()).rejects.toThrow(
      /the message is too long: with the system message it has 2\d\d tokens, the context 128/,
    );
    expect(conversation.messages).toHaveLength(2);
    expect((await conversation.send("Bye", { maxTokens: 5 }).finish()).stopReason).toBe("length");
  });
});
