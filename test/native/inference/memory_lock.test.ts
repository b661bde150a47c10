/** lockMemory: the weights are locked while the engine lives, and the bits are the same. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Engine } from "../../../native/inference/engine.ts";
import { titleUnless } from "../../support/missing.ts";
import { exportSmallModel, randomSequences, temporaryFolder } from "./exported_model.ts";

const folder = temporaryFolder("memory-lock-");
afterAll(() => folder.remove());

const status = "/proc/self/status";

/** Kilobytes that this process has locked. */
function locked(): number {
  return Number(/^VmLck:\s+(\d+) kB/m.exec(readFileSync(status, "utf8"))![1]);
}

describe.skipIf(!existsSync(status))(titleUnless(!existsSync(status), status, "a model locked in memory"), () => {
  it.each([
    ["ternary weights, repacked", {}],
    ["float weights, mapped", { weight_quantizer: "none", activation_quantizer: "none", tie_word_embeddings: false }],
  ] as const)("%s", async (name, changes) => {
    const file = path.join(folder.path, `${name}.gguf`);
    const type = "weight_quantizer" in changes ? "f32" : "tq2_0";
    await exportSmallModel(file, type, changes);
    const sequences = randomSequences([20, 5], 300);
    const plain = await Engine.load(file);
    const before = locked();
    let engine: Engine;
    try {
      engine = await Engine.load(file, { lockMemory: true });
    } catch (error) {
      // The system's limit is too low for the test: then the error says so.
      expect((error as Error).message).toMatch(
        /cannot lock \d+ MB of weights in memory: .*; the limit of locked memory/,
      );
      plain.dispose();
      return;
    }
    const weights = engine.config.parameters * (type === "f32" ? 4 : 0.25);
    expect(locked() - before).toBeGreaterThan((weights / 1024) * 0.9);
    expect(await engine.score(sequences)).toEqual(await plain.score(sequences));
    engine.dispose();
    plain.dispose();
    expect(locked()).toBe(before);
  });
});
