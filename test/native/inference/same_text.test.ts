/** A seed draws one text: from a checkpoint on the native backend, and from its GGUF file on every kernel variant. */
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadAddon } from "../../../native/addon.ts";
import { NativeLanguageModel } from "../../../native/inference/native_language_model.ts";
import type { GeneratedPiece, GenerateRequest, LanguageModel } from "../../../src/language_model/language_model.ts";
import { TfjsLanguageModel } from "../../../src/language_model/tfjs_language_model.ts";
import { useBackend } from "../../support/tfjs_backends.ts";
import { chatTokenizer, exportChatModel, trainedChatModel } from "./chat_model.ts";
import { temporaryFolder } from "./exported_model.ts";

const addon = loadAddon();
const folder = temporaryFolder("same-text-");
const file = path.join(folder.path, "model.gguf");
let trained: TfjsLanguageModel;
beforeAll(async () => {
  await useBackend("native");
  await exportChatModel(file);
  trained = new TfjsLanguageModel({ name: "chat", model: await trainedChatModel(), tokenizer: chatTokenizer });
});
afterAll(() => {
  trained.dispose();
  addon.setVariant("");
  folder.remove();
});

const samplings = [
  { temperature: 0 },
  { temperature: 0.1, seed: 1 },
  { temperature: 0.8, seed: 2 },
  { temperature: 1, seed: 3, topK: 12 },
  { temperature: 1.5, seed: 4, topP: 0.9 },
  { temperature: 1, seed: 2 ** 40 + 5, topK: 40, topP: 0.95 },
];
const requests = ["Once upon", "Q: ", "The lamp is red because"].flatMap((prompt) =>
  samplings.map(
    (sampling): GenerateRequest => ({ context: chatTokenizer.encode(prompt), until: [], maxTokens: 48, ...sampling }),
  ),
);

const variants = addon
  .features()
  .variants.filter(({ supported }) => supported)
  .map(({ name }) => name);

describe("the text of a checkpoint", () => {
  let expected: string[];
  beforeAll(async () => {
    expected = await trained.generateUntil(requests);
  });

  test("is another for each seed", () => {
    expect(new Set(expected).size).toBe(requests.length);
  });

  test.each(variants)("is that of its GGUF file on %s", async (variant) => {
    addon.setVariant(variant);
    const exported = await NativeLanguageModel.open(file, { threads: 2 });
    expect(await exported.generateUntil(requests)).toEqual(expected);
    exported.dispose();
  });

  test("comes in pieces that say how many tokens there are and why it ends", async () => {
    addon.setVariant("");
    const exported = await NativeLanguageModel.open(file, { threads: 2 });
    const long = { ...requests[4], context: chatTokenizer.encode("x".repeat(480)), maxTokens: 100 };
    const free = expected[3];
    const stopped = { ...requests[3], until: [free.slice(20, 22)] };
    for (const [request, end] of [
      [requests[3], "length"],
      [stopped, "stop"],
      [long, "context"],
    ] as const) {
      const pieces = await collect(trained, request);
      expect(await collect(exported, request)).toEqual(pieces);
      expect(pieces.map((piece) => piece.end)).toEqual([...new Array(pieces.length - 1).fill(null), end]);
      const counts = pieces.map(({ tokens }) => tokens);
      expect(counts).toEqual(counts.map((_, i) => i + 1));
    }
    exported.dispose();
  });
});

async function collect(model: LanguageModel, request: GenerateRequest): Promise<GeneratedPiece[]> {
  const pieces: GeneratedPiece[] = [];
  for await (const piece of model.stream(request)) pieces.push(piece);
  return pieces;
}
