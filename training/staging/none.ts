/** `none`: the final quantizers from the first step to the last, as BitNet b1.58 is trained (arXiv 2402.17764). */
import { z } from "zod";
import { defineStaging } from "./staging.ts";

export const noStaging = defineStaging({
  schema: z.strictObject({ type: z.literal("none").describe("The final quantizers from the first step on.") }),
  dependsOnLength: false,
  refusal: () => null,
  create(_options, { final }) {
    const stage = { quantization: final };
    return { at: () => stage };
  },
});
