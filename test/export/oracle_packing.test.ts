/** The packed bytes of transformers itself (test/golden/training, made with PyTorch and transformers 5.23). */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { packTernary } from "../../src/checkpoint/packed_ternary.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_file.ts";
import { absmeanTernary } from "../../src/quantizers/absmean_ternary.ts";

const golden = (name: string) => fileURLToPath(new URL(`../golden/training/${name}.safetensors`, import.meta.url));

describe("packed codes for transformers", () => {
  it("are the bytes that transformers packs, for all matrices of the training oracle", async () => {
    const weights = await SafetensorsFile.open(golden("weights"));
    const ternary = await SafetensorsFile.open(golden("ternary"));
    const packed = ternary.names().filter((name) => name.endsWith(".packed_hf"));
    expect(packed).toHaveLength(14);
    for (const name of packed) {
      const matrix = name.replace(".packed_hf", "");
      const [rows, cols] = weights.info(matrix).shape;
      const { codes } = absmeanTernary(await weights.readFloat32(matrix), rows, cols, "f32");
      expect(Buffer.from(packTernary(codes, rows, cols)).equals(await ternary.readBytes(name)), matrix).toBe(true);
    }
    await weights.close();
    await ternary.close();
  });
});
