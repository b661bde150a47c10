/** What `bitnet-inspect` says of files and folders that some reader refuses or computes wrongly (traps.ts). */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { titleUnless } from "../support/missing.ts";
import { hasNative, useBackend } from "../support/tfjs_backends.ts";
import { trapVerdicts } from "./trap_verdicts.ts";
import { trainedModels, trapReaders, traps, trapText } from "./traps.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-traps-"));
afterAll(() => rmSync(folder, { recursive: true }));
const text = path.join(folder, "text");
writeFileSync(text, trapText);

describe.skipIf(!hasNative)(titleUnless(!hasNative, "the native addon", "a model that is a trap"), () => {
  let models: ReturnType<typeof trainedModels>;
  beforeAll(async () => {
    await useBackend("native");
    models = trainedModels();
  });

  it.each(traps.map((trap, i) => [trap.name, trap, i] as const))("%s", async (_, trap, i) => {
    const source = await trap.write(path.join(folder, String(i)), models[trap.model]);
    const verdicts = await trapVerdicts(source, text);
    const found = trapReaders.map((reader, i) => `${reader}: ${verdicts[i].outcome}`);
    expect(found, JSON.stringify(verdicts, null, 1)).toEqual(
      trapReaders.map((reader, i) => `${reader}: ${trap.outcomes[i]}`),
    );
    // A refusal and another result say why.
    for (const { outcome, why } of verdicts) if (outcome !== "computes it") expect(why).not.toBe("");
  });

  it.each(["relu^2 as bitnet-b1.58, I2_S", "I2_S in the order of ARM"])(
    "%s: a text that the model does not know decides nothing, the codes do",
    async (name) => {
      const trap = traps.find((each) => each.name === name)!;
      const source = await trap.write(path.join(folder, `unknown ${name}`), models[trap.model]);
      const verdicts = await trapVerdicts(source);
      expect(verdicts.map(({ outcome }) => outcome)).toEqual(trap.outcomes);
      const misread = verdicts.find(({ outcome }) => outcome === "computes something else");
      expect(misread?.why).toContain("zeros in rows of gate and up and in columns of down correlate");
    },
  );
});
