/** What a GGUF file holds, against the weights that it was made of and the engine that runs it. */
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../../native/inference/engine.ts";
import { weightQuantizerOf } from "../../../src/config/model_quantizers.ts";
import { accountForFile, type FileAccount } from "../../../src/eval/cost/file_account.ts";
import { modelParameters, parameterCount } from "../../../src/model/parameters.ts";
import { type ExportedModel, exportSmallModel, temporaryFolder } from "../../native/inference/exported_model.ts";
import { hasNative } from "../../support/tfjs_backends.ts";

const folder = temporaryFolder("account-");
afterAll(() => folder.remove());
let model: ExportedModel;
let account: FileAccount;
beforeAll(async () => {
  model = await exportSmallModel(path.join(folder.path, "model.gguf"), "tq2_0");
  account = await accountForFile(model.file);
});

/** Codes of all linear weights, as the quantizer makes them, a matrix each. */
function codes(): Int8Array[] {
  const quantizer = weightQuantizerOf(model.config)!;
  return modelParameters(model.config)
    .filter(({ kind }) => kind === "matrix")
    .map(({ name, shape: [rows, cols] }) => quantizer.quantize(model.parameters.get(name)!, { rows, cols }, []).codes);
}

describe("the account of a file", () => {
  it("has every parameter and byte, by type", () => {
    expect(account.parameters).toBe(parameterCount(model.config));
    expect(account.types.map(({ type }) => type).sort()).toEqual(["F16", "F32", "TQ2_0"]);
    const ternary = account.types.find(({ type }) => type === "TQ2_0")!;
    expect(ternary.parameters).toBe(codes().reduce((sum, { length }) => sum + length, 0));
    // 66 bytes for 256 weights.
    expect((8 * ternary.fileBytes) / ternary.parameters).toBe(2.0625);
    const bytes = account.types.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    expect(bytes + account.headerBytes).toBe(account.fileBytes);
  });

  it("has the entropy and the zeros of the codes, and what gzip leaves is near", () => {
    const ternary = account.types.find(({ type }) => type === "TQ2_0")!;
    let [bits, zeros] = [0, 0];
    for (const matrix of codes()) {
      const shares = [-1, 0, 1].map((level) => matrix.filter((code) => code === level).length / matrix.length);
      bits -= matrix.length * shares.reduce((sum, share) => sum + share * Math.log2(share), 0);
      zeros += matrix.length * shares[1];
    }
    expect(ternary.entropyBits).toBeCloseTo(bits / ternary.parameters, 9);
    expect(ternary.zeroFraction).toBeCloseTo(zeros / ternary.parameters, 9);
    // Random codes: no compressor goes below their entropy.
    expect(ternary.gzipBits).toBeGreaterThan(ternary.entropyBits!);
    expect(ternary.gzipBits).toBeLessThan(1.62);
    expect(account.types.find(({ type }) => type === "F16")).toMatchObject({ entropyBits: null, zeroFraction: null });
  });

  it.skipIf(!hasNative)("has the engine's memory and the published method's sizes", async () => {
    const engine = await Engine.load(model.file);
    const { bytesPerToken, hiddenSize, numHiddenLayers, numAttentionHeads, headDim, vocabSize } = engine.config;
    engine.dispose();
    // Tied: a token reads all of it, and one row of the embedding once more.
    const memory = account.types.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    expect(bytesPerToken).toBe(memory + 2 * hiddenSize);
    const linearWeights = codes().reduce((sum, { length }) => sum + length, 0);
    expect(account.shape).toEqual({
      numHiddenLayers,
      attentionWidth: numAttentionHeads * headDim,
      linearWeights,
      ternary: true,
    });
    expect(account.headWeights).toBe(vocabSize * hiddenSize);
  });
});
