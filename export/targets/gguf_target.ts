/** GGUF files as export targets: what their dialects have in common. */
import type { ModelConfig } from "../../src/config/model_config.ts";
import { weightQuantizerOf } from "../../src/config/model_quantizers.ts";
import { checkPackable } from "../../src/config/packing_rules.ts";
import { exportTensorType, exportTypes } from "../../src/config/tensor_fit.ts";
import { preTokenizerName } from "../../src/gguf/pre_tokenizer_name.ts";
import type { TokenizerJson } from "../../src/tokenizer/tokenizer_json.ts";
import { ggufExportBytes, planGguf, writeGgufExport } from "../gguf_export.ts";
import { architectureOf } from "../model_metadata.ts";
import { statedByGguf } from "../verify/stated_model.ts";
import { verifyGguf } from "../verify/verify_gguf.ts";
import { type ExportPlan, type ExportRequest, type ExportTarget, firstBroken } from "./target.ts";

/** What a dialect of GGUF files says of itself. */
export interface GgufDialect extends Pick<ExportTarget, "name" | "defaultType" | "packsTables" | "note"> {
  /** Why the reader would compute another model, or null. Asked before anything is said of types and tokenizers. */
  refusal?(request: ExportRequest): string | null;
  /** The reader aborts on a file without vocabulary, and splits text itself, by the name of the pre-tokenizer. */
  readsVocabulary: boolean;
  /** `general.architecture`; by default that of our own files. */
  architecture?(config: ModelConfig): string;
}

export function ggufTarget(dialect: GgufDialect): ExportTarget {
  const { name, defaultType, packsTables, note, architecture = architectureOf } = dialect;
  const planned = (plan: ExportPlan) => planGguf(plan, architecture(plan.config));
  return {
    name,
    defaultType,
    packsTables,
    note,
    refusal: (request) =>
      dialect.refusal?.(request) ??
      typeRefusal(request) ??
      (dialect.readsVocabulary ? vocabularyRefusal(request, name) : null) ??
      metadataRefusal(request),
    changes({ config, linearType }) {
      const type = exportTensorType(linearType);
      if (type.kind === "codes" || type.dtype === "f32" || weightQuantizerOf(config) !== null) return [];
      return [{ text: `the linear weights are rounded to ${linearType}, trained as f32`, roundedTo: type.dtype }];
    },
    describe: (plan) => ({
      text: `${architecture(plan.config)}, ${plan.linearType}`,
      bytes: ggufExportBytes(planned(plan)),
    }),
    write: (plan, out, read, onBytes) => writeGgufExport(out, planned(plan), read, onBytes),
    verifyTensors: (plan, out, read) => verifyGguf(out, planned(plan), read),
    stated: statedByGguf,
    reader: () => "engine",
  };
}

/** What the linear weights cannot be stored as, whoever reads them. */
function typeRefusal({ config, linearType }: ExportRequest): string | null {
  const type = exportTypes.find((each) => each === linearType);
  if (type === undefined) return `GGUF files have no ${linearType}: use --type ${exportTypes.join(" or ")}`;
  return checkPackable(config, type);
}

/** What a file cannot say of the model. */
function metadataRefusal({ config }: ExportRequest): string | null {
  const scaling = config.ropeScaling;
  const factor = scaling === null || scaling.type === "llama3" ? 1 : scaling.factor;
  return firstBroken([
    [
      Math.fround(config.ropeTheta) === config.ropeTheta,
      `rope_theta (${config.ropeTheta}) is not a float32 number, and GGUF stores it as one: train with ${Math.fround(config.ropeTheta)}`,
    ],
    [
      config.slidingWindow === null || Math.fround(config.slidingWindow.ropeTheta) === config.slidingWindow.ropeTheta,
      `rope_local_theta (${config.slidingWindow?.ropeTheta}) is not a float32 number, and GGUF stores it as one`,
    ],
    [
      scaling?.type === "linear" || Math.fround(factor) === factor,
      `rope_scaling.factor (${factor}) is not a float32 number, and GGUF stores it as one: train with ${Math.fround(factor)}`,
    ],
  ]);
}

function vocabularyRefusal({ tokenizer }: ExportRequest, reader: string): string | null {
  return firstBroken([
    [
      tokenizer !== null,
      `${reader} aborts on a file without a vocabulary, and the checkpoint has no tokenizer.json: put it there`,
    ],
    [
      tokenizer === null || preTokenizerName(tokenizer.json as unknown as TokenizerJson) !== null,
      `${reader} has no name for this tokenizer's pre-tokenizer and would split text in other places: train with a GPT-2 or Llama-3 style one, or export with --target bitnet-lab`,
    ],
  ]);
}
