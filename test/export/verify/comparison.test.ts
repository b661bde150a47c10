import { describe, expect, it } from "vitest";
import { comparisonSequences, meanLoss, requireSameBits } from "../../../export/verify/comparison.ts";
import { sampleText } from "../../../export/verify/sample_text.ts";
import { smallConfig, smallTokenizer } from "../small_model.ts";

const predictions = (sequences: Int32Array[]) => sequences.reduce((sum, ids) => sum + ids.length - 1, 0);

describe("the sequences of a comparison", () => {
  it("are ragged windows of the text with 512 predictions", () => {
    const config = smallConfig({ max_position_embeddings: 4096 });
    const sequences = comparisonSequences(config, smallTokenizer(), sampleText);
    expect(predictions(sequences)).toBe(512);
    expect(new Set(sequences.map((ids) => ids.length)).size).toBeGreaterThan(3);
    const all = smallTokenizer().encode(sampleText);
    expect([...sequences[0]]).toEqual(all.slice(0, 257));
  });

  it("fit a short context, a short text, and a model without tokenizer", () => {
    const short = smallConfig({ max_position_embeddings: 16 });
    const windows = comparisonSequences(short, smallTokenizer(), sampleText);
    expect(Math.max(...windows.map((ids) => ids.length))).toBe(17);
    expect(predictions(windows)).toBe(512);
    const pairs = comparisonSequences(smallConfig(), smallTokenizer(), "to");
    expect(pairs.every((ids) => ids.length === 2)).toBe(true);
    const random = comparisonSequences(smallConfig({ vocab_size: 17 }), null, "");
    expect(predictions(random)).toBe(512);
    expect(random.every((ids) => ids.every((id) => id >= 0 && id < 17))).toBe(true);
    expect(() => comparisonSequences(smallConfig(), smallTokenizer(), "")).toThrow("fewer than 2 tokens");
  });
});

describe("requireSameBits", () => {
  it("counts equal values and names the first that differs in its last bit", () => {
    const expected = [Float32Array.of(-1, -2), Float32Array.of(-3)];
    expect(requireSameBits(expected, [Float32Array.of(-1, -2), Float32Array.of(-3)])).toBe(3);
    const off = Math.fround(-3 * (1 + 2 ** -23));
    expect(() => requireSameBits(expected, [Float32Array.of(-1, -2), Float32Array.of(off)])).toThrow(
      `1 of 3 log-probabilities differ from the training forward: sequence 1, position 0: ${off} instead of -3`,
    );
    expect(() => requireSameBits(expected, [Float32Array.of(-1, -2)])).toThrow("undefined instead of -3");
  });
});

it("meanLoss is the mean over all values", () => {
  expect(meanLoss([Float32Array.of(-1, -2), Float32Array.of(-6)])).toBe(3);
});
