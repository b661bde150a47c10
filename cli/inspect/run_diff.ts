/** Runs `bitnet-inspect --diff A B`: exit code 0 if all weights and the graph are the same, 1 if not, 2 in trouble. */
import { interleavedRowOrder } from "../../src/checkpoint/gguf/tensor_names.ts";
import { counted } from "../../src/errors/counted.ts";
import { UserError } from "../../src/errors/user_error.ts";
import { textTable } from "../../src/eval/report/text_table.ts";
import {
  type DiffOptions,
  diffModels,
  graphDifferences,
  keyDifferences,
  type TensorDifference,
} from "../../src/inspect/diff.ts";
import { Progress } from "../progress.ts";
import { folded } from "../terminal/say.ts";
import { openSource } from "./open_source.ts";

/** The comparison could not be made: as for diff(1), not the same as a difference. */
class DiffError extends UserError {
  override name = "DiffError";
  override readonly exitCode = 2;
}

/** Tensors that are listed; the others are counted. */
const mostListed = 40;

export async function runDiff(names: readonly string[], json: boolean, signal: AbortSignal): Promise<void> {
  try {
    const [first, second] = [await openSource(names[0]), await openSource(names[1])];
    const progress = new Progress({ lines: "none" });
    const all =
      first.model.tensors.reduce((sum, { bytes }) => sum + bytes, 0) +
      second.model.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    const options: DiffOptions = {
      signal,
      onRead(bytes) {
        done += bytes;
        progress.update("comparing", Math.min(done, all), all);
      },
      rowOrder: (tensor, model) => {
        const isTurned = /^blk\.\d+\.attn_[qk]\.weight$/.test(tensor.ggufName);
        const kinds = [first.model.facts, model.facts];
        const { headDim } = model.facts.sizes;
        const isLlama = kinds[1].container === "gguf" && kinds[1].architecture === "llama";
        if (!isTurned || !isLlama || kinds[0].container === "gguf" || headDim === null) return null;
        return interleavedRowOrder(tensor.shape[0], headDim);
      },
    };
    const differences: TensorDifference[] = [];
    try {
      for await (const difference of diffModels(first.model, second.model, options)) differences.push(difference);
    } finally {
      progress.close();
    }
    const graph = graphDifferences(first.model, second.model);
    const keys = keyDifferences(first.model, second.model);
    const equal = graph.length === 0 && differences.every(({ state }) => state === "equal");
    if (json) console.log(JSON.stringify({ models: names, equal, graph, keys, tensors: differences }, null, 2));
    else for (const line of diffLines(differences, graph, keys, equal)) console.log(line);
    process.exitCode = equal ? 0 : 1;
    await Promise.all([first.model.close(), second.model.close()]);
  } catch (error) {
    if (signal.aborted || !(error instanceof UserError)) throw error;
    throw new DiffError(error.message);
  }
}

function diffLines(
  differences: readonly TensorDifference[],
  graph: readonly string[],
  keys: readonly string[],
  equal: boolean,
): string[] {
  const fold = (line: string) => folded(line, process.stdout);
  const differing = differences.filter(({ state }) => state !== "equal");
  const table = textTable(
    ["tensor", "types", "codes", "scales", "values", "by at most"],
    differing.slice(0, mostListed).map(({ name, state, types, codes, scales, values, shapes }) => [
      name,
      types[0] === types[1] ? types[0] : types.filter((type) => type !== "").join(", "),
      ...(state === "differs"
        ? [
            codes === null ? "" : String(codes),
            scales === null ? "" : scales.toPrecision(2),
            String(values?.count ?? 0),
            (values?.largest ?? 0).toPrecision(3),
          ]
        : [
            state,
            shapes
              .map((shape) => shape.join(" x "))
              .filter(Boolean)
              .join(", "),
            "",
            "",
          ]),
    ]),
  );
  const retyped = new Map<string, number>();
  for (const { state, types } of differences) {
    if (state === "equal" && types[0] !== types[1]) {
      retyped.set(types.join(" and "), (retyped.get(types.join(" and ")) ?? 0) + 1);
    }
  }
  return [
    ...(differing.length === 0 ? [] : [...table, ""]),
    ...(differing.length > mostListed ? [`and ${differing.length - mostListed} others (--json has all)`] : []),
    ...graph.map((line) => fold(`the graph differs: ${line}`)),
    ...(keys.length === 0 ? [] : [fold(`keys that differ: ${keys.join(", ")}`)]),
    ...Array.from(retyped, ([types, count]) => `other types, the same values: ${types} in ${counted(count, "tensor")}`),
    `${differences.length - differing.length} of ${differences.length} tensors have the same values${equal ? "" : ": the models differ"}`,
  ];
}
