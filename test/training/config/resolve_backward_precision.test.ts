import { describe, expect, it } from "vitest";
import { parseRunConfig } from "../../../training/config/load_run_config.ts";
import { parseOverride } from "../../../training/config/overrides.ts";
import {
  resolveBackwardPrecision,
  withBackwardPrecision,
} from "../../../training/config/resolve_backward_precision.ts";

const vnni = { variant: "avx512vnni" };

describe("resolveBackwardPrecision", () => {
  it.each(["amx", "avx512vnni", "avxvnni", "avx2", "neondot"])("%s: int8, with a reason", (variant) => {
    const { precision, reason } = resolveBackwardPrecision({ variant, isQuantized: true });
    expect(precision).toBe("int8");
    expect(reason).not.toBe("");
  });

  it.each(["scalar", "composed", "of_the_future"])("%s: float32", (variant) => {
    const resolved = resolveBackwardPrecision({ variant, isQuantized: true });
    expect(resolved.precision).toBe("f32");
    expect(resolved.reason).toContain(variant);
  });

  it("float models multiply in float32 on every CPU", () => {
    expect(resolveBackwardPrecision({ ...vnni, isQuantized: false }).precision).toBe("f32");
  });
});

describe("withBackwardPrecision", () => {
  const text =
    "model: {hidden_size: 256, num_hidden_layers: 1, intermediate_size: 256, num_attention_heads: 4}\n" +
    "training: {max_steps: 10}\n";
  const configWith = (...sets: string[]) => parseRunConfig(text, "my.yaml", sets.map(parseOverride));

  it("resolves the default once; what is named stays", () => {
    expect(configWith().training.backward_precision).toBe("auto");
    const first = withBackwardPrecision(configWith(), vnni);
    expect(first.config.training.backward_precision).toBe("int8");
    expect(first.reason).toContain("int8");
    const elsewhere = withBackwardPrecision(first.config, { variant: "scalar" });
    expect(elsewhere).toEqual({ config: first.config });
  });

  it("sees a quantizer that is off", () => {
    for (const key of ["weight_quantizer", "activation_quantizer"]) {
      const { config } = withBackwardPrecision(configWith(`model.${key}=none`), vnni);
      expect(config.training.backward_precision).toBe("f32");
    }
  });
});
