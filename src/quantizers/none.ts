/** `none`: the operand as it is, float32, with its own gradient. The float twin of a quantized model has it twice. */
import { z } from "zod";
import type { ActivationQuantizerDefinition } from "./activation_quantizer.ts";
import type { WeightQuantizerDefinition } from "./weight_quantizer.ts";

export const none: WeightQuantizerDefinition & ActivationQuantizerDefinition = {
  name: "none",
  options: z.strictObject({}),
  create: () => null,
};
