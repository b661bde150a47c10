/**
 * README.md of an exported folder, as the Hub shows it: front matter with the Hub's keys, what the model is, and the figures
 * of its run. What is not known is left out.
 */
import { stringify } from "yaml";
import { activationQuantizerOf, weightQuantizerOf } from "../src/config/model_quantizers.ts";
import { parameterCount } from "../src/model/parameters.ts";
import type { TrainingFacts } from "./about.ts";
import type { ExportPlan } from "./targets/target.ts";

/** Keys that have a value. */
function known(entries: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

function frontMatter({ about }: ExportPlan, isQuantized: boolean): string {
  const { license, languages, tags = [] } = about;
  const all = [...new Set([...(isQuantized ? ["bitnet", "ternary"] : []), ...tags])];
  const keys = known({
    license,
    language: languages,
    library_name: "transformers",
    pipeline_tag: "text-generation",
    tags: all.length > 0 ? all : undefined,
  });
  return `---\n${stringify(keys, { lineWidth: 0 })}---`;
}

const count = (value: number) => value.toLocaleString("en-US");

function figures({ config }: ExportPlan, facts: TrainingFacts | undefined): [string, string][] {
  const weights = weightQuantizerOf(config);
  const activations = activationQuantizerOf(config);
  const rows: [string, string | undefined][] = [
    ["parameters", count(parameterCount(config))],
    ["layers, width, feed-forward", [config.numHiddenLayers, config.hiddenSize, config.intermediateSize].join(", ")],
    ["context", count(config.maxPositionEmbeddings)],
    [
      "linear weights",
      weights === null ? "float" : `${weights.levels.join(", ")} times a scale a ${weights.scales.per}`,
    ],
    ["their inputs", activations === null ? "float" : `${activations.bits} bits, scaled by token`],
    ["updates", facts && count(facts.steps)],
    ["tokens seen", facts?.tokens === undefined ? undefined : count(facts.tokens)],
    ["training loss, nats per token", facts?.loss?.toFixed(4)],
    ["validation loss, nats per token", facts?.validationLoss?.toFixed(4)],
    ["validation, bits per byte", facts?.bitsPerByte?.toFixed(4)],
    ["made with", facts?.madeWith],
  ];
  return rows.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as [string, string]]));
}

/** @param directory name of the folder, for the example */
export function modelCard(plan: ExportPlan, directory: string): string {
  const { about, name, trainingFacts, config } = plan;
  const isQuantized = weightQuantizerOf(config) !== null;
  const description = about.description ?? (isQuantized ? "A BitNet b1.58 model: ternary weights." : undefined);
  const by = [about.author, about.organization].filter((each) => each !== undefined).join(", ");
  const parts = [
    frontMatter(plan, isQuantized),
    `# ${name}`,
    description,
    by === "" ? undefined : `By ${by}.`,
    about.url === undefined ? undefined : `More: ${about.url}`,
    ["| | |", "|---|---|", ...figures(plan, trainingFacts).map(([key, value]) => `| ${key} | ${value} |`)].join("\n"),
    [
      "```python",
      "from transformers import AutoModelForCausalLM, AutoTokenizer",
      "",
      `model = AutoModelForCausalLM.from_pretrained(${JSON.stringify(directory)})`,
      `tokenizer = AutoTokenizer.from_pretrained(${JSON.stringify(directory)})`,
      "```",
    ].join("\n"),
  ];
  return `${parts.filter((part) => part !== undefined).join("\n\n")}\n`;
}
