/** Our own engine: runs every model that we train, from every type. */
import { hasTernaryWeights } from "../../src/config/model_quantizers.ts";
import { ggufTarget } from "./gguf_target.ts";

export const bitnetLab = ggufTarget({
  name: "bitnet-lab",
  defaultType: (config) => (hasTernaryWeights(config) ? "tq2_0" : "f32"),
  readsVocabulary: false,
});
