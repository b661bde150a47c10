/** The lines of `bitnet-inspect` for people: facts of the header, types, keys, tensors, what each reader does. */
import path from "node:path";
import { counted } from "../../src/errors/counted.ts";
import { textTable } from "../../src/eval/report/text_table.ts";
import type { InspectedModel, InspectedTensor } from "../../src/inspect/inspected_model.ts";
import type { Finding, ModelFacts, TokenizerFacts } from "../../src/inspect/model_facts.ts";
import type { Verdict } from "../../src/inspect/readers/reader.ts";
import type { ScaleStatistics, TensorStatistics, TypeSummary } from "../../src/inspect/statistics.ts";

const count = (value: number) => value.toLocaleString("en-US");
export const megabytes = (bytes: number) => (bytes / 1e6).toFixed(bytes < 1e7 ? 3 : 1);
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

/** Label and text of each line of the header's facts. */
export function factLines({ path: source, facts }: InspectedModel): [string, string][] {
  const { sizes, gguf, folder, tokenizer } = facts;
  const format = gguf === null ? "safetensors" : `GGUF ${gguf.version}`;
  const container = [
    gguf?.littleEndian === false ? `${format}, big-endian` : format,
    counted(facts.files, "file"),
    `${megabytes(facts.fileBytes)} MB, of them ${megabytes(facts.headerBytes)} header`,
    ...(gguf !== null && gguf.alignment !== 32 ? [`aligned to ${gguf.alignment}`] : []),
  ];
  const known = (label: string, value: number | null) => (value === null ? [] : [`${label} ${value}`]);
  const heads =
    sizes.heads === null ? [] : [`${sizes.heads} heads of ${sizes.headDim}, ${sizes.kvHeads} of keys and values`];
  const lines: [string, string][] = [
    ["file", `${path.basename(source)}: ${container.join(", ")}`],
    [
      "model",
      [facts.architecture, ...(facts.name === null ? [] : [facts.name]), `${count(facts.parameters)} parameters`].join(
        ", ",
      ),
    ],
    [
      "shape",
      [
        ...known("layers", sizes.layers),
        ...known("hidden", sizes.hidden),
        ...known("feed-forward", sizes.intermediate),
        ...heads,
        ...known("context", sizes.context),
        ...known("vocabulary", sizes.vocabulary ?? facts.embeddingRows),
      ].join(", "),
    ],
    ["graph", graphText(facts)],
  ];
  if (folder !== null) lines.push(["quantization", quantizationText(facts)]);
  lines.push(["tokenizer", tokenizer === null ? "none" : tokenizerText(tokenizer)]);
  if (tokenizer?.chatTemplate != null) lines.push(["chat template", templateText(tokenizer)]);
  return lines.filter(([, text]) => text !== "");
}

function graphText({ hiddenAct, subNorms, sizes, headType }: ModelFacts): string {
  const { attention, feedForward } = subNorms;
  const norms =
    attention + feedForward === 0
      ? "no sub-norms"
      : attention === sizes.layers && feedForward === sizes.layers
        ? "sub-norms in every layer"
        : `sub-norms in ${attention} (attention) and ${feedForward} (feed-forward) layers`;
  return [
    hiddenAct === null ? "no key says the activation" : `activation ${hiddenAct}`,
    norms,
    headType === null ? "tied head" : "head of its own",
    ...(sizes.ropeTheta === null ? [] : [`rope theta ${Number(sizes.ropeTheta.toPrecision(6))}`]),
    ...(sizes.rmsNormEps === null ? [] : [`RMS epsilon ${Number(sizes.rmsNormEps.toPrecision(6))}`]),
  ].join(", ");
}

function quantizationText({ folder }: ModelFacts): string {
  const { quantization, own, isPacked } = folder!;
  return [
    quantization === null ? "no quantization_config" : `${quantization.linearClass}, ${quantization.mode}`,
    isPacked ? "packed codes" : "weights as floats",
    ...(own === null ? [] : [`by our keys weights ${own.weights ?? "none"}, activations ${own.activations ?? "none"}`]),
  ].join(", ");
}

function tokenizerText({ model, pre, tokens, bos, eos, hasJson }: TokenizerFacts): string {
  const known = (label: string, value: string | number | null) => (value === null ? [] : [`${label} ${value}`]);
  return [
    model ?? "unknown",
    ...known("pre", pre),
    ...(tokens === null ? [] : [`${count(tokens)} tokens`]),
    ...known("BOS", bos),
    ...known("EOS", eos),
    ...(hasJson ? ["tokenizer.json"] : []),
  ].join(", ");
}

function templateText({ chatTemplate, chatTemplates }: TokenizerFacts): string {
  const line = chatTemplate!.replace(/\s+/g, " ").trim();
  const others = chatTemplates.filter((name) => name !== "default");
  const begun = line.length > 60 ? `${line.slice(0, 60)}...` : line;
  return `${begun} (${chatTemplate!.length} characters${others.length === 0 ? "" : `; also ${others.join(", ")}`})`;
}

export function typeTable(summaries: readonly TypeSummary[]): string[] {
  const bits = (value: number | null) => (value === null ? "" : value.toFixed(3));
  return textTable(
    ["type", "tensors", "weights", "MB", "bits", "entropy", "zeros"],
    summaries.map(({ type, tensors, weights, bytes, storedBits, entropyBits, zeroFraction }) => [
      type,
      String(tensors),
      count(weights),
      megabytes(bytes),
      bits(storedBits),
      bits(entropyBits),
      zeroFraction === null ? "" : percent(zeroFraction),
    ]),
  );
}

export function scaleText({ per, least, most }: ScaleStatistics): string {
  const range = least === most ? least.toPrecision(4) : `${least.toPrecision(3)} to ${most.toPrecision(3)}`;
  return per === "tensor" ? range : `${range}, one a ${typeof per === "number" ? `block of ${per}` : per}`;
}

/**
 * @param statistics by name; without them the header alone is shown
 * @param columns of the terminal; where the table is wider, the numbers stand below the names
 */
export function tensorTable(
  tensors: readonly InspectedTensor[],
  statistics: ReadonlyMap<string, TensorStatistics | null>,
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const header = ["type", "shape", "MB", ...(statistics.size > 0 ? ["zeros", "scale or range"] : [])];
  const rows = tensors.map(({ name, type, shape, bytes }) => {
    const found = statistics.get(name);
    const zeros = found?.codes ? percent(found.codes.zeroFraction) : "";
    return [type, shape.join("x"), megabytes(bytes), ...(statistics.size > 0 ? [zeros, rangeText(found)] : [])];
  });
  const names = tensors.map(({ name }) => name);
  const table = textTable(
    ["tensor", ...header],
    rows.map((row, i) => [names[i], ...row]),
  );
  if (table[0].length <= columns) return table;
  const [titles, rule, ...numbers] = textTable(header, rows);
  return [titles, rule, ...numbers.flatMap((row, i) => [names[i], row])];
}

function rangeText(found: TensorStatistics | null | undefined): string {
  if (!found) return "";
  const bad = found.notFinite > 0 ? `, ${found.notFinite} not finite` : "";
  const invalid = (found.codes?.invalid ?? 0) > 0 ? `, ${found.codes!.invalid} codes without a level` : "";
  const { scales, values } = found;
  if (scales !== null) return scaleText(scales) + invalid + bad;
  return values === null ? bad : `${values.least.toPrecision(3)} to ${values.most.toPrecision(3)}${bad}`;
}

/** A value of the header, as much of it as is told. */
export function keyText(value: unknown): string {
  if (!Array.isArray(value)) return typeof value === "string" ? JSON.stringify(value) : String(JSON.stringify(value));
  const shown = value.slice(0, 6).map((each) => JSON.stringify(each));
  return value.length <= 6 ? `[${shown.join(", ")}]` : `[${shown.join(", ")}, ...] (${value.length})`;
}

/** The reader where another one begins, and what its versions do. @param findings that were shown with their numbers */
export function verdictLines(
  verdicts: readonly Verdict[],
  findings: readonly Finding[],
): { reader: string; text: string }[] {
  const shortened = (text: string) =>
    findings.reduce(
      (line, { why }) => line.replace(` (${why})`, ", by its values").replace(`: ${why}`, ", by its values"),
      text,
    );
  return verdicts.map(({ reader, versions, outcome, why }, i) => ({
    reader: verdicts[i - 1]?.reader === reader ? "" : reader,
    text: `${versions === "" ? "" : `${versions}: `}${outcome}${why === "" ? "" : ` (${shortened(why)})`}`,
  }));
}
