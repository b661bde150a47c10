/** Our own engine: runs every model that we train, from every type. */
import { hasTernaryWeights } from "../../src/config/model_quantizers.ts";
import { checkPackable } from "../../src/config/packing_rules.ts";
import { ggufTarget } from "./gguf_target.ts";

export const bitnetLab = ggufTarget({
  name: "bitnet-lab",
  defaultType(config) {
    if (!hasTernaryWeights(config)) return "f32";
    // Float32 scales, and rows of 128, fit the second; other scales in them, and rows of 64, the third.
    return ["tq2_0", "i2_s", "q2_0"].find((type) => checkPackable(config, type) === null) ?? "tq2_0";
  },
  packsTables: true,
  readsVocabulary: false,
});
