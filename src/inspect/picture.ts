/** A picture of codes: the corner of each kind of matrix in the first, the middle and the last layer, or of one tensor. */
import { element, type Figure, makeFigure, text } from "../report/figures/figure.ts";
import { type InspectedModel, type InspectedTensor, weightsOf } from "./inspected_model.ts";
import { type Codes, piecesOf } from "./pieces.ts";

/** Codes along each side of a corner: of one among many, and of one alone. */
const manySide = 64;
const oneSide = 220;
const gap = 8;
const top = 44;
const labelWidth = 46;

/** Null if there are no codes. @param only of one tensor */
export async function codesFigure(model: InspectedModel, only: InspectedTensor | null): Promise<Figure | null> {
  return only === null ? manyCorners(model) : oneCorner(model, only);
}

async function oneCorner(model: InspectedModel, tensor: InspectedTensor): Promise<Figure | null> {
  const corner = await cornerOf(model, tensor, oneSide);
  if (corner === null) return null;
  const title = `${tensor.name}: the first ${corner.rows} x ${corner.cols} of ${tensor.shape.join(" x ")} codes`;
  const scale = 2;
  const parts = [
    element("g", { transform: `translate(0 ${top}) scale(${scale})` }, drawn(corner)),
    legend(corner.levels),
  ];
  return makeFigure(title, top + corner.rows * scale + 6, parts, Math.max(460, corner.cols * scale));
}

async function manyCorners(model: InspectedModel): Promise<Figure | null> {
  const linears = model.tensors.filter(({ role, shape }) => role === "linear" && shape.length === 2);
  const layerOf = ({ ggufName }: InspectedTensor) => Number(/^blk\.(\d+)\./.exec(ggufName)?.[1]);
  const kindOf = ({ ggufName }: InspectedTensor) => ggufName.replace(/^blk\.\d+\.|\.weight$/g, "");
  const layers = [...new Set(linears.map(layerOf))].sort((a, b) => a - b);
  const shown = [...new Set([layers[0], layers[layers.length >> 1], layers[layers.length - 1]])];
  const kinds = [...new Set(linears.map(kindOf))];
  const parts: string[] = [];
  let levels: readonly number[] | null = null;
  for (const [y, layer] of shown.entries()) {
    const at = top + 16 + y * (manySide + gap);
    parts.push(text(0, at + manySide / 2, `layer ${layer}`, { font_size: 10 }));
    for (const [x, kind] of kinds.entries()) {
      const left = labelWidth + x * (manySide + gap);
      if (y === 0) parts.push(text(left, top + 10, kind, { font_size: 10 }));
      const tensor = linears.find((each) => layerOf(each) === layer && kindOf(each) === kind);
      const corner = tensor === undefined ? null : await cornerOf(model, tensor, manySide);
      if (corner === null) continue;
      levels ??= corner.levels;
      parts.push(element("g", { transform: `translate(${left} ${at})` }, drawn(corner)));
    }
  }
  if (levels === null) return null;
  const title = `Codes: the first ${manySide} x ${manySide} of each matrix`;
  const [width, height] = [labelWidth + kinds.length * (manySide + gap), top + 16 + shown.length * (manySide + gap)];
  return makeFigure(title, height, [...parts, legend(levels)], width);
}

interface Corner {
  rows: number;
  cols: number;
  levels: readonly number[];
  /** Row-major, of the corner. */
  places: Uint8Array;
}

async function cornerOf(model: InspectedModel, tensor: InspectedTensor, side: number): Promise<Corner | null> {
  if (weightsOf(tensor) === 0) return null;
  const [rows, cols] = [Math.min(side, tensor.shape[0]), Math.min(side, tensor.shape[tensor.shape.length - 1])];
  const places = new Uint8Array(rows * cols);
  let levels: readonly number[] | null = null;
  for await (const piece of piecesOf(model, tensor, { quantized: true })) {
    const codes = piece.codes ?? signsOf(piece.values(), piece.cols);
    if (codes === null) return null;
    levels = codes.levels;
    for (let r = 0; r < piece.rows && piece.first + r < rows; r++) {
      places.set(codes.places.subarray(r * piece.cols, r * piece.cols + cols), (piece.first + r) * cols);
    }
    if (piece.first + piece.rows >= rows) break;
  }
  return levels === null ? null : { rows, cols, levels, places };
}

/** Floats that are ternary, as exports to float types have them; null for others. */
function signsOf(values: Float32Array, cols: number): Pick<Codes, "levels" | "places"> | null {
  const first = values.subarray(0, cols);
  const scale = first.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (scale === 0 || first.some((value) => value !== 0 && Math.abs(value) !== scale)) return null;
  return { levels: [-1, 0, 1], places: Uint8Array.from(values, (value) => Math.sign(value) + 1) };
}

/** Orange below 0, blue above, stronger as the level is farther from it; 0 shows the ground. */
function paint(levels: readonly number[], place: number) {
  const most = levels.reduce((largest, level) => Math.max(largest, Math.abs(level)), 0) || 1;
  const level = levels[place] ?? 0;
  return { fill: level < 0 ? "var(--b)" : "var(--a)", fill_opacity: Math.abs(level) / most };
}

/** A path for each level: a run of equal codes is a bar. */
function drawn({ rows, cols, levels, places }: Corner): string {
  const paths = levels.map(() => "");
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; ) {
      const place = places[r * cols + c];
      let end = c + 1;
      while (end < cols && places[r * cols + end] === place) end++;
      if (place < paths.length && levels[place] !== 0) paths[place] += `M${c} ${r}h${end - c}v1h${c - end}z`;
      c = end;
    }
  }
  const frame = element("rect", { width: cols, height: rows, fill: "none", stroke: "var(--line)", stroke_width: 0.5 });
  const shapes = paths.map((d, place) => (d === "" ? "" : element("path", { d, ...paint(levels, place) })));
  return [...shapes, frame].join("");
}

function legend(levels: readonly number[]): string {
  return levels
    .map((level, place) => {
      const x = place * 54;
      const square = { x, y: 26, width: 10, height: 10, stroke: "var(--line)", stroke_width: 0.5 };
      return (
        element("rect", { ...square, ...paint(levels, place) }) +
        text(x + 14, 35, `${level > 0 ? "+" : ""}${Number(level.toFixed(2))}`)
      );
    })
    .join("");
}
