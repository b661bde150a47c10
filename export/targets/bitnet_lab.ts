/** Our own engine: runs every model that we train, from every type. */
import { hasTernaryWeights } from "../../src/config/model_quantizers.ts";
import { checkPackable, type ExportType } from "../../src/config/packing_rules.ts";
import type { ExportTarget } from "./target.ts";

export const bitnetLab: ExportTarget = {
  defaultType: (config) => (hasTernaryWeights(config) ? "tq2_0" : "f32"),
  refusal: ({ config, linearType }) => checkPackable(config, linearType as ExportType),
};
