/** Two models, tensor by tensor: types, codes, scales, values. Rows of both are read side by side. */
import { type InspectedModel, type InspectedTensor, weightsOf } from "./inspected_model.ts";
import { type Piece, piecesOf } from "./pieces.ts";

export interface TensorDifference {
  /** As GGUF files call it. */
  name: string;
  /** "values": the same numbers; "not comparable": other shapes, or a type that is not read. */
  state: "equal" | "differs" | "only in the first" | "only in the second" | "not comparable";
  /** Types of both; "" where it is missing. */
  types: [string, string];
  shapes: [readonly number[], readonly number[]];
  weights: number;
  /** Codes that differ; null unless both have codes of the same levels. */
  codes: number | null;
  /** Largest relative difference of scales; null unless both have codes. */
  scales: number | null;
  /** Values that differ, and by how much at most; of neither being a number: none. */
  values: { count: number; largest: number } | null;
}

export interface DiffOptions {
  /** Row of the first model that stands at each row of the second's tensor; null: the same. */
  rowOrder?(tensor: InspectedTensor, second: InspectedModel): Int32Array | null;
  onRead?(bytes: number): void;
  signal?: AbortSignal;
}

/** In the first model's order, then what only the second has. */
export async function* diffModels(
  first: InspectedModel,
  second: InspectedModel,
  options: DiffOptions = {},
): AsyncGenerator<TensorDifference> {
  const others = new Map(compared(second, first).map((tensor) => [tensor.ggufName, tensor]));
  for (const tensor of compared(first, second)) {
    const other = others.get(tensor.ggufName);
    others.delete(tensor.ggufName);
    yield other === undefined
      ? alone(tensor, "only in the first")
      : await diffTensors(first, tensor, second, other, options);
  }
  for (const tensor of others.values()) yield alone(tensor, "only in the second");
}

/** Tensors that are weights of their own: no scales of codes; nor what a quantizer has learnt, where the other has codes. */
function compared({ tensors, quantizer }: InspectedModel, other: InspectedModel): InspectedTensor[] {
  const learns = quantizer?.parameters !== undefined && other.quantizer === null;
  return tensors.filter(({ role, name }) => role !== "scale" && !(learns && /\.weight_[a-z_]+$/.test(name)));
}

function alone(tensor: InspectedTensor, state: "only in the first" | "only in the second"): TensorDifference {
  const isFirst = state === "only in the first";
  return {
    name: tensor.ggufName,
    state,
    types: isFirst ? [tensor.type, ""] : ["", tensor.type],
    shapes: isFirst ? [tensor.shape, []] : [[], tensor.shape],
    weights: weightsOf(tensor),
    codes: null,
    scales: null,
    values: null,
  };
}

async function diffTensors(
  first: InspectedModel,
  a: InspectedTensor,
  second: InspectedModel,
  b: InspectedTensor,
  { rowOrder, onRead, signal }: DiffOptions,
): Promise<TensorDifference> {
  const sums: TensorDifference = {
    name: a.ggufName,
    state: "equal",
    types: [a.type, b.type],
    shapes: [a.shape, b.shape],
    weights: weightsOf(a),
    codes: null,
    scales: null,
    values: null,
  };
  const isReadable = ({ layout }: InspectedTensor) => layout.kind !== "bytes";
  if (String(a.shape) !== String(b.shape) || !isReadable(a) || !isReadable(b)) {
    return { ...sums, state: "not comparable" };
  }
  // Latent weights beside latent ones are compared as they are, beside codes as what training makes of them.
  const quantized =
    first.facts.container !== second.facts.container || first.facts.folder?.isPacked !== second.facts.folder?.isPacked;
  const order = rowOrder?.(b, second) ?? null;
  const pieces = { quantized, asTrained: quantized, signal };
  const rowsOfA = rowsOf(piecesOf(first, a, pieces), onRead);
  const rowsOfB = rowsOf(piecesOf(second, b, pieces), onRead);
  const ordered = order === null ? rowsOfA : inOrder(rowsOfA, order);
  for await (const rowB of rowsOfB) {
    const next = await ordered.next();
    if (next.done) return { ...sums, state: "not comparable" };
    addRow(sums, next.value, rowB);
  }
  return sums;
}

interface Row {
  values: Float32Array;
  codes: { levels: readonly number[]; places: Uint8Array } | null;
  scaleAt(column: number): number;
}

async function* rowsOf(
  pieces: AsyncGenerator<Piece>,
  onRead: ((bytes: number) => void) | undefined,
): AsyncGenerator<Row> {
  for await (const { rows, cols, codes, values, bytes } of pieces) {
    const all = values();
    for (let r = 0; r < rows; r++) {
      const [begin, end] = [r * cols, (r + 1) * cols];
      yield {
        values: all.subarray(begin, end),
        codes: codes && { levels: codes.levels, places: codes.places.subarray(begin, end) },
        scaleAt: (column) => (codes === null ? 1 : codes.scales[Math.floor((begin + column) / codes.perScale)]),
      };
    }
    onRead?.(bytes);
  }
}

/** All rows in memory, then in another order. */
async function* inOrder(rows: AsyncGenerator<Row>, order: Int32Array): AsyncGenerator<Row> {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  for (const row of order) yield all[row];
}

function addRow(sums: TensorDifference, a: Row, b: Row): void {
  sums.values ??= { count: 0, largest: 0 };
  for (let i = 0; i < a.values.length; i++) {
    const [x, y] = [a.values[i], b.values[i]];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    sums.values.count++;
    const distance = Math.abs(x - y);
    sums.values.largest = Number.isNaN(distance) ? Infinity : Math.max(sums.values.largest, distance);
  }
  if (sums.values.count > 0) sums.state = "differs";
  if (a.codes === null || b.codes === null || String(a.codes.levels) !== String(b.codes.levels)) return;
  sums.codes ??= 0;
  sums.scales ??= 0;
  const [placesA, placesB] = [a.codes.places, b.codes.places];
  for (let i = 0; i < placesA.length; i++) {
    if (placesA[i] === placesB[i]) continue;
    sums.codes++;
  }
  // Blocks are at least this long, and of others the scale is looked at more often than need be.
  for (let i = 0; i < placesA.length; i += 32) {
    const [x, y] = [a.scaleAt(i), b.scaleAt(i)];
    // Blocks of zeros may have a scale of 0.
    if (x === y || x === 0 || y === 0) continue;
    sums.scales = Math.max(sums.scales, Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y)));
  }
}

/** What the headers say otherwise about the graph: what changes the model though all weights are equal. */
export function graphDifferences({ facts: a }: InspectedModel, { facts: b }: InspectedModel): string[] {
  const lines: string[] = [];
  const compare = (name: string, x: unknown, y: unknown) => {
    if (x !== null && y !== null && x !== y) lines.push(`${name}: ${x}, ${y}`);
  };
  if (a.container === b.container) compare("architecture", a.architecture, b.architecture);
  compare("hidden_act", a.hiddenAct, b.hiddenAct);
  for (const key of Object.keys(a.sizes) as (keyof typeof a.sizes)[]) {
    // GGUF stores these as float32.
    const value = (size: number | null) => (size === null ? null : Math.fround(size));
    if (value(a.sizes[key]) !== value(b.sizes[key])) compare(key, a.sizes[key], b.sizes[key]);
  }
  return lines;
}

/** Keys of the header whose values differ, beside those that one of the two does not have. */
export function keyDifferences(first: InspectedModel, second: InspectedModel): string[] {
  if (first.facts.container !== second.facts.container) return [];
  const keys = new Set([...first.keys.keys(), ...second.keys.keys()]);
  return [...keys].filter((key) => JSON.stringify(first.keys.get(key)) !== JSON.stringify(second.keys.get(key)));
}
