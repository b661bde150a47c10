/** `none`: the weights as the optimizer leaves them. */
import { z } from "zod";
import { defineCorrection } from "./correction.ts";

export const noCorrection = defineCorrection({
  schema: z.strictObject({ type: z.literal("none").describe("The weights as the optimizer leaves them.") }),
  dependsOnLength: false,
  refusal: () => null,
  create: () => null,
});
