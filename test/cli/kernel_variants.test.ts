import { expect, it } from "vitest";
import { command } from "../../cli/bitnet_generate.ts";
import { variantHelp } from "../../cli/kernel_variants.ts";
import { loadAddon, NativeUnavailableError } from "../../native/addon.ts";
import { hasNative } from "../support/tfjs_backends.ts";

it.runIf(hasNative)(
  "the help names every variant that the addon was built with, and those that do not run here",
  () => {
    const { variants } = loadAddon().features();
    expect(variants.map(({ name }) => name)).toContain("scalar");
    expect(variantHelp()).toContain(`BITNET_ISA=${variants.map(({ name }) => name).join("|")} forces`);
    const two = {
      features: () => ({
        variants: [
          { name: "a", supported: true },
          { name: "b", supported: false },
        ],
      }),
    };
    expect(variantHelp(() => two as never)).toBe("BITNET_ISA=a|b forces a kernel variant (this CPU cannot run b).");
    expect((command.epilogue as () => string)()).toContain(variantHelp());
  },
);

it("the help does not need the addon", () => {
  const missing = () => {
    throw new NativeUnavailableError("it is not built");
  };
  expect(variantHelp(missing)).toContain("it is not built");
  expect(() => variantHelp(() => ({}) as never)).toThrow(TypeError);
});
