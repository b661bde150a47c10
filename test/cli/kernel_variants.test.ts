import { expect, it } from "vitest";
import { loadAddon } from "../../native/addon.ts";
import { kernelVariants } from "../../src/cli/kernel_variants.ts";
import { hasNative } from "../support/tfjs_backends.ts";

it.runIf(hasNative)("the help names every variant that the addon was built with", () => {
  const built = loadAddon()
    .features()
    .variants.map(({ name }) => name);
  expect(kernelVariants).toEqual(expect.arrayContaining(built));
});
