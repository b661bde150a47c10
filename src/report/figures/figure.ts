/**
 * A figure is SVG text: the page shows it as it is, in the reader's light or dark colours (`var(--a)`), and
 * `render_png.ts` draws the same text on white paper. So a PNG and the page cannot differ.
 */
import { escapeHtml } from "../markup.ts";

export interface Figure {
  title: string;
  svg: string;
  /** Units of the SVG: CSS pixels of a figure that is shown in its own size. */
  width: number;
  height: number;
}

/** Half a page wide on a desktop, and still readable when a phone of 360 pixels shrinks it. */
export const figureWidth = 460;
export const fontSize = 12;

type Value = string | number | undefined;

const number = (value: number) => String(Math.round(value * 100) / 100);

/** `<name key="value">content</name>`; keys without a value are left out, `_` stands for `-`. @param content SVG */
export function element(name: string, attributes: Record<string, Value>, content = ""): string {
  const written = Object.entries(attributes).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return ` ${key.replaceAll("_", "-")}="${typeof value === "number" ? number(value) : escapeHtml(value)}"`;
  });
  return content === "" ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${content}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Record<string, Value> = {}): string {
  return element("text", { x, y, fill: "var(--faint)", ...attributes }, escapeHtml(content));
}

/** Shown where a pointer rests on the element that it stands in. */
export const hint = (content: string) => element("title", {}, escapeHtml(content));

/** Width of a text, about: fonts differ. */
export const textWidth = (content: string, size = fontSize) => content.length * size * 0.6;

/** As much of a text as fits, with what follows left out. */
export function fitText(content: string, width: number, size = fontSize): string {
  const most = Math.max(2, Math.floor(width / (size * 0.6)));
  return content.length <= most ? content : `${content.slice(0, most - 1)}…`;
}

/** `M0 1L2 3`, breaking where a value is missing. */
export function pathOf(points: Iterable<readonly [x: number, y: number] | null>): string {
  let path = "";
  let isOpen = false;
  for (const point of points) {
    if (point !== null) path += `${isOpen ? "L" : "M"}${number(point[0])} ${number(point[1])}`;
    isOpen = point !== null;
  }
  return path;
}

/** @param parts SVG, the first at the bottom */
export function makeFigure(title: string, height: number, parts: readonly string[], width = figureWidth): Figure {
  const heading = text(0, 16, fitText(title, width, 13), { fill: "var(--text)", font_size: 13, font_weight: 600 });
  const svg = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${number(width)} ${number(height)}`,
      font_family: "system-ui,sans-serif",
      font_size: fontSize,
      role: "img",
      aria_label: title,
    },
    [element("title", {}, escapeHtml(title)), heading, ...parts].join(""),
  );
  return { title, svg, width, height };
}

/** Figures beside one another where there is room. */
export function figureGrid(figures: readonly (Figure | null)[]): string {
  const shown = figures.filter((figure) => figure !== null);
  if (shown.length === 0) return "";
  return `<div class="figures">\n${shown.map(({ svg }) => `<figure>${svg}</figure>`).join("\n")}\n</div>`;
}
