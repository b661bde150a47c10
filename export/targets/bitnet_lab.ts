/** Our own engine: runs every model that we train, from every type. */
import { checkPackable, type ExportType } from "../../src/config/packing_rules.ts";
import type { ExportTarget } from "./target.ts";

export const bitnetLab: ExportTarget = {
  defaultType: (config) => (config.weightQuantizer === "none" ? "f32" : "tq2_0"),
  refusal: ({ config, linearType }) => checkPackable(config, linearType as ExportType),
};
