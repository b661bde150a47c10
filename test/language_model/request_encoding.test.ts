import { describe, expect, test } from "vitest";
import { RequestEncoder } from "../../src/language_model/request_encoding.ts";
import { RequestError } from "../../src/language_model/request_error.ts";
import { tinyTokenizer } from "../eval/fake_language_model.ts";

const bitnet = tinyTokenizer("tiny-bitnet");
const llama = tinyTokenizer("tiny-llama");
const [bos, eos] = [0, 1];

describe("RequestEncoder", () => {
  test("context and continuation are encoded together; BOS comes once", () => {
    const { context, continuation } = new RequestEncoder(bitnet, 64).encodePair("Question: why?\nAnswer:", " because");
    expect([...context, ...continuation]).toEqual(bitnet.encode("Question: why?\nAnswer: because"));
    expect(context).toEqual(bitnet.encode("Question: why?\nAnswer:"));
    expect(context.filter((id) => id === bos)).toEqual([bos]);
  });

  test("a context that starts with BOS's text gets no second one", () => {
    const { context } = new RequestEncoder(bitnet, 64).encodePair("<|begin_of_text|>Question:", " why");
    expect(context.filter((id) => id === bos)).toEqual([bos]);
  });

  test("trailing spaces of the context move to the continuation", () => {
    const encoder = new RequestEncoder(bitnet, 64);
    expect(encoder.encodePair("Answer: ", "yes")).toEqual(encoder.encodePair("Answer:", " yes"));
  });

  test("an empty context is the prefix token: BOS, or EOS where there is no BOS", () => {
    expect(new RequestEncoder(bitnet, 64).encodePair("", "yes")).toEqual({
      context: [bos],
      continuation: bitnet.encode("yes", { addSpecialTokens: false }),
    });
    expect(new RequestEncoder(llama, 64).encodePair("", "yes").context).toEqual([llama.eosTokenId]);
  });

  test("truncation keeps the last maxLength + 1 ids", () => {
    const full = new RequestEncoder(bitnet, 64).encodePair("one two three four five six seven", " eight nine");
    const cut = new RequestEncoder(bitnet, 6).encodePair("one two three four five six seven", " eight nine");
    expect([...cut.context, ...cut.continuation]).toEqual([...full.context, ...full.continuation].slice(-7));
    expect(cut.continuation).toEqual(full.continuation);
  });

  test("a continuation without tokens or longer than the context is an error", () => {
    const encoder = new RequestEncoder(bitnet, 3);
    expect(() => encoder.encodePair("Answer:", "")).toThrow(RequestError);
    expect(() => encoder.encodePair("Answer:", " one two three four five")).toThrow("does not fit the context of 3");
  });

  test("rolling windows score every id once, each after as much context as fits", () => {
    const text = "one two three four five six seven eight nine ten";
    const ids = bitnet.encode(text);
    const windows = new RequestEncoder(bitnet, 5).encodeRolling(text);
    expect(windows.flatMap(({ continuation }) => continuation)).toEqual(ids);
    expect(windows[0].context).toEqual([bos]);
    let scored = windows[0].continuation.length;
    for (const { context, continuation } of windows.slice(1)) {
      expect(context.length + continuation.length).toBe(6);
      expect(context).toEqual(ids.slice(scored - context.length, scored));
      scored += continuation.length;
    }
    expect(new RequestEncoder(llama, 5).encodeRolling("")).toEqual([]);
  });

  test("generation keeps the end of the context and leaves room", () => {
    const ids = bitnet.encode("one two three four");
    expect(new RequestEncoder(bitnet, 10).encodeGeneration("one two three four", 7)).toEqual(ids.slice(-3));
    expect(() => new RequestEncoder(bitnet, 10).encodeGeneration("one", 10)).toThrow("must be less than");
    expect(new RequestEncoder(llama, 10).encodeGeneration("", 5)).toEqual([llama.eosTokenId]);
  });

  test("the text of EOS ends generated text", () => {
    expect(new RequestEncoder(bitnet, 10).endOfText).toBe(bitnet.decode([eos], { skipSpecialTokens: false }));
  });
});
