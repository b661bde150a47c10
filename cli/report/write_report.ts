/** Writes a report: the page, and its figures as PNGs in a folder beside it. */
import path from "node:path";
import { checkWritableDirectory, makeDirectory } from "../../src/files/make_directory.ts";
import { writeWholeFile } from "../../src/files/whole_file.ts";
import type { Figure } from "../../src/report/figures/figure.ts";
import { ChartError, renderPng } from "../../src/report/figures/render_png.ts";

/** `Loss, second half` -> `loss_second_half.png` */
function pngName({ title }: Figure): string {
  return `${title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")}.png`;
}

/** Made before anything is read: better a wrong path now than after the work. */
export function prepareReport(out: string): void {
  const folder = path.dirname(path.resolve(out));
  makeDirectory(folder);
  checkWritableDirectory(folder);
}

/** The folder of the PNGs of a page: `report.html` has `report_figures`. */
const figuresFolder = (out: string) => `${out.replace(/\.html?$/i, "")}_figures`;

/** @returns lines to tell */
export async function writeReport(out: string, page: string, figures: readonly Figure[] | null): Promise<string[]> {
  await writeWholeFile(out, page);
  const lines = [`wrote ${out}`];
  if (figures === null || figures.length === 0) return lines;
  const folder = figuresFolder(out);
  makeDirectory(folder);
  try {
    for (const figure of figures) await writeWholeFile(path.join(folder, pngName(figure)), await renderPng(figure));
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
    return [...lines, `no PNGs: ${error.message}`];
  }
  return [...lines, `wrote ${figures.length} PNGs in ${folder}`];
}
