/**
 * `import ... from "bitnet-lab/export"`: a checkpoint as a file for one of the readers in `targets`, read back and proven.
 *
 *     const checkpoint = await openCheckpoint("runs/mine");                                  // both of "bitnet-lab"
 *     const read = parameterReader(checkpoint);
 *     const plan = planExport(checkpoint.config, checkpoint.tokenizer, { target: "bitnet-lab", name: "mine" });
 *     await exportModel(plan, "mine.gguf", read);
 *     await verifyExport(plan, "mine.gguf", read);
 *     await verifyMeaning(plan, "mine.gguf", checkpoint);
 */

export { GgufFile, readGgufMetadata } from "../src/gguf/gguf_reader.ts";
export { GgufError, type GgufMetadata, type GgufValue } from "../src/gguf/gguf_types.ts";
export { type GgufTensorSource, writeGguf } from "../src/gguf/gguf_writer.ts";
export type { CodeTensorType, FloatTensorType, TensorType } from "../src/gguf/types/tensor_type.ts";
export { tensorTypes } from "../src/gguf/types/tensor_types.ts";
export { tq2_0 } from "../src/gguf/types/tq2_0.ts";
export { type About, aboutOfMetadata, type TrainingFacts } from "./about.ts";
export { ExportRefusedError } from "./export_error.ts";
export { exportModel, removeIfWrong, verifyExport, verifyMeaning } from "./export_model.ts";
export { type ExportChoice, planExport } from "./export_plan.ts";
export { type ExportedModel, exportedModel } from "./exported_model.ts";
export { modelPresets, presetConfig, randomParameters } from "./random_model.ts";
export { ggufTarget } from "./targets/gguf_target.ts";
export type { ExportPlan, ExportRequest, ExportTarget, ModelChange, VerifiedTensors } from "./targets/target.ts";
export { targetNames, targets } from "./targets/targets.ts";
export { type Comparison, compareExport, type Scorer, type Scorers } from "./verify/compare_export.ts";
export { sampleText } from "./verify/sample_text.ts";
export { checkpointScorer, directoryScorer, exportedModelScorer } from "./verify/training_forward.ts";
export { VerificationError } from "./verify/verification.ts";
