import { expect, it } from "vitest";
import { kernelVariants } from "../../cli/kernel_variants.ts";
import { loadAddon } from "../../native/addon.ts";
import { hasNative } from "../support/tfjs_backends.ts";

it.runIf(hasNative)("the help names every variant that the addon was built with", () => {
  const built = loadAddon()
    .features()
    .variants.map(({ name }) => name);
  expect(kernelVariants).toEqual(expect.arrayContaining(built));
});
