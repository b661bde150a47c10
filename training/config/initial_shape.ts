/** The keys of `model` where a run begins with the weights of `init_from`: those of that model, and no others. */
import {
  type ModelConfig,
  ModelConfigError,
  type ModelConfigJson,
  modelConfigSchema,
  resolveModelConfig,
} from "../../src/config/model_config.ts";

type Section = Readonly<Record<string, unknown>>;

export interface InitialShape {
  /** As messages name it. */
  source: string;
  /** All keys of its model. */
  model: ModelConfigJson;
}

/** What may be otherwise than in the model that a run begins with: nothing that a weight's place or product depends on. */
const freeKeys: ReadonlySet<keyof ModelConfig> = new Set([
  "weightQuantizer",
  "activationQuantizer",
  "scaleDtype",
  "embeddingDtype",
  "embeddingQuantizer",
  "maxPositionEmbeddings",
  "initializerRange",
]);

/** Section `model` of a recipe, completed. @param given what the recipe says */
export function withInitialShape({ model }: InitialShape, given: Section): Section {
  const { vocab_size: vocabSize, ...others } = given;
  // 0 asks for as many as the tokenizer has.
  const own = vocabSize === undefined || vocabSize === 0 ? others : given;
  const { norm_placement: placement, ...rest } = model;
  // The earlier key says the same in another word.
  return own.use_sub_norms === undefined ? { ...rest, norm_placement: placement, ...own } : { ...rest, ...own };
}

/** The keys in which a completed section is another model, and a line for each; none where it is no model at all. */
export function shapeProblems({ source, model }: InitialShape, section: unknown): { keys: string[]; text: string }[] {
  const [there, here] = [resolved(model), resolved(section)];
  if (there === null || here === null) return [];
  return differing(there, here)
    .filter((field) => !freeKeys.has(field))
    .map((field) => {
      const key = `model.${keyOf(field)}`;
      const [stored, wanted] = [there, here].map((config) => JSON.stringify(config[field]));
      return { keys: [key], text: `${key} is ${wanted}, and ${stored} in init_from ${source}: leave it out` };
    });
}

/** Lines about what was changed: a model that quantizes otherwise does not have the loss of the one it began as. */
export function shapeRemarks({ source, model }: InitialShape, config: ModelConfig): string[] {
  const there = resolved(model);
  const changed = there === null ? [] : differing(there, config).filter((field) => /Quantizer|Dtype/.test(field));
  return changed.map((field) => {
    const [stored, wanted] = [there![field], config[field]].map((value) => JSON.stringify(value));
    return `init_from ${source}: ${keyOf(field)} is ${stored} there and ${wanted} here, so the run begins with another loss`;
  });
}

function differing(a: ModelConfig, b: ModelConfig): (keyof ModelConfig)[] {
  const fields = Object.keys(a) as (keyof ModelConfig)[];
  return fields.filter((field) => JSON.stringify(a[field]) !== JSON.stringify(b[field]));
}

/** As a recipe says it. */
function keyOf(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function resolved(json: unknown): ModelConfig | null {
  const parsed = modelConfigSchema.safeParse(json);
  if (!parsed.success) return null;
  try {
    return resolveModelConfig(parsed.data);
  } catch (error) {
    if (error instanceof ModelConfigError) return null;
    throw error;
  }
}
