/** Quantized matrices of a checkpoint: numbers of each, histograms of latent weights, and the codes as pictures. */
import { type Figure, figureGrid } from "../figures/figure.ts";
import { lineChart, type Series } from "../figures/line_chart.ts";
import { pixelsUrl, sharePalette, shareSteps, signPalette } from "../figures/pixels.ts";
import { escapeHtml, htmlTable } from "../markup.ts";
import { faintLine } from "../page.ts";
import type { Bins, MatrixPicture } from "./run_data.ts";
import { shortName } from "./short_name.ts";

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const level = (value: number) => (value > 0 ? `+${Number(value.toFixed(2))}` : String(Number(value.toFixed(2))));

/** Shares of more levels than this are not columns. */
const mostLevels = 5;

function weightsTable(matrices: readonly MatrixPicture[]): string {
  const { levels } = matrices[0];
  const isShort = levels.length <= mostLevels && matrices.every((one) => String(one.levels) === String(levels));
  const zero = levels.indexOf(0);
  const shown = isShort ? levels.map((_, i) => i) : zero < 0 ? [] : [zero];
  const rows = matrices.map(({ name, rows, cols, scales: { count, mean, least, most }, shares }) => [
    shortName(name),
    `${rows} × ${cols}`,
    mean.toPrecision(3),
    count === 1 ? "" : `${least.toPrecision(3)} to ${most.toPrecision(3)}`,
    ...shown.map((i) => percent(shares[i])),
  ]);
  const header = ["Matrix", "Shape", "Scale", "Scales from, to", ...shown.map((i) => `Code ${level(levels[i])}`)];
  return htmlTable(header, rows);
}

const kindOf = (name: string) => shortName(name).split(" ").at(-1)!;
const layerOf = (name: string) => /layers\.(\d+)\./.exec(name)?.[1];

/** Middles of the bins and the share of the weights in each. */
function outline({ low, high, counts }: Bins) {
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  const width = (high - low) / counts.length;
  return counts.map((count, i) => ({ x: low + (i + 0.5) * width, y: count / total }));
}

/** Layers in one figure: more are left out evenly. */
const mostLayers = 5;

function evenly<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]);
}

/** One figure for each kind of matrix, a curve for each layer; dashed where the nearest code changes. */
export function histogramFigures(matrices: readonly MatrixPicture[]): (Figure | null)[] {
  const kinds = [...new Set(matrices.map(({ name }) => kindOf(name)))];
  return kinds.map((kind) => {
    const ofKind = matrices.filter(({ name }) => kindOf(name) === kind);
    const shown = evenly(ofKind, mostLayers);
    const series = shown.map(
      ({ name, latent }, colour): Series => ({
        label: layerOf(name) === undefined ? kind : `layer ${layerOf(name)}`,
        colour,
        points: outline(latent),
      }),
    );
    const { levels } = ofKind[0];
    const marks = levels.length > mostLevels ? [] : levels.slice(1).map((value, i) => (value + levels[i]) / 2);
    const title = `${kind}: latent weights`;
    return lineChart({ title, x: { label: "in units of the scale" }, y: { label: "share" }, series, marks });
  });
}

function picture(url: string, caption: string): string {
  const text = escapeHtml(caption);
  return `<figure><img src="${url}" alt="${text}"><figcaption>${text}</figcaption></figure>`;
}

function mapsOf({ name, rows, cols, levels, codes }: MatrixPicture): string[] {
  if (codes === null) return [];
  const { corner, blocks } = codes;
  const cornerUrl = pixelsUrl({
    width: corner.cols,
    height: corner.rows,
    pixels: corner.codes,
    palette: signPalette(levels),
  });
  const isWhole = corner.rows === rows && corner.cols === cols;
  const what = isWhole
    ? `all ${rows} × ${cols} codes`
    : `the first ${corner.rows} × ${corner.cols} of ${rows} × ${cols} codes`;
  const pictures = [picture(cornerUrl, `${shortName(name)}: ${what}`)];
  if (isWhole || !levels.includes(0)) return pictures;
  const pixels = Uint8Array.from(blocks.zeros, (share) => Math.round(Math.min(1, share) * (shareSteps - 1)));
  const url = pixelsUrl({ width: blocks.cols, height: blocks.rows, pixels, palette: sharePalette() });
  const caption = `${shortName(name)}: share of zeros in blocks of ${blocks.blockRows} × ${blocks.blockCols}`;
  return [...pictures, picture(url, caption)];
}

/** Pictures of the codes: the corner a pixel a code, and the whole matrix in blocks. */
export function codeMaps(matrices: readonly MatrixPicture[]): string {
  const pictures = matrices.flatMap(mapsOf);
  if (pictures.length === 0) return "";
  const note = "Codes: blue above 0, orange below, 0 is the ground. Blocks: the bluer, the more zeros.";
  return `${faintLine(note)}<div class="maps">\n${pictures.join("\n")}\n</div>`;
}

/** All of it for one run; "" for a model without codes. */
export function weightsHtml(matrices: readonly MatrixPicture[]): string {
  if (matrices.length === 0) return "";
  return [codeMaps(matrices), figureGrid(histogramFigures(matrices)), weightsTable(matrices)].join("\n");
}
