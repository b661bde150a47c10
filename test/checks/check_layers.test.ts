import path from "node:path";
import { describe, expect, it } from "vitest";
import { checkLayers, nativeViolation, typeScriptViolation } from "./check_layers.ts";

describe("layering rules", () => {
  it("lets roofs import everything and siblings only src", () => {
    expect(typeScriptViolation("cli/bitnet_train.ts", "native/backend/register.ts")).toBeNull();
    expect(typeScriptViolation("training/trainer.ts", "src/model/causal_lm.ts")).toBeNull();
    expect(typeScriptViolation("training/trainer.ts", "native/backend/register.ts")).toContain("siblings");
    expect(typeScriptViolation("src/model/causal_lm.ts", "export/gguf.ts")).toContain("src imports only src");
    expect(typeScriptViolation("export/gguf.ts", "cli/command.ts")).toContain("roof");
    expect(typeScriptViolation("index.ts", "native/inference/index.ts")).toBeNull();
    expect(typeScriptViolation("src/model/causal_lm.ts", "index.ts")).toContain("roof");
  });

  it("keeps Node out of the C++ core and the parts apart", () => {
    expect(nativeViolation("addon", "napi.h")).toBeNull();
    expect(nativeViolation("core", "napi.h")).toContain("addon");
    expect(nativeViolation("inference", "training/attention.h")).toContain("must not include");
    expect(nativeViolation("core", "inference/engine.h")).toContain("must not include");
    expect(nativeViolation("training", "core/kernels.h")).toBeNull();
  });

  it("holds in this tree", () => {
    expect(checkLayers(path.join(import.meta.dirname, "../.."))).toEqual([]);
  });
});
