/**
 * A figure as PNG on white paper, drawn from its SVG by a canvas that needs no browser. The canvas is loaded with the
 * first figure: it is a binary that not every machine can load, and nothing else depends on it.
 */
import { tmpdir } from "node:os";
import { messageOf, UserError } from "../../errors/user_error.ts";
import { homeDirectory } from "../../files/user_cache.ts";
import { lightColours } from "../style.ts";
import type { Figure } from "./figure.ts";

/** Pixels for a unit of the SVG. */
const scale = 2;
const margin = 10;

/** The figures cannot be drawn on this machine. */
export class ChartError extends UserError {
  override name = "ChartError";
}

async function loadCanvas() {
  // Looks for the user's fonts as it is loaded, and fails where there is no home.
  const { HOME } = process.env;
  if (homeDirectory() === null) process.env.HOME = tmpdir();
  try {
    const { createCanvas, loadImage } = await import("@napi-rs/canvas");
    return { createCanvas, loadImage };
  } catch (error) {
    throw new ChartError(`no chart can be drawn on this machine: ${messageOf(error).split("\n")[0]}`);
  } finally {
    if (HOME === undefined) delete process.env.HOME;
    else process.env.HOME = HOME;
  }
}

/** The SVG alone, in pixels of the PNG, with light colours and a font that every system knows. */
export function standaloneSvg({ svg, width, height }: Figure): string {
  return svg
    .replace("<svg ", `<svg width="${width * scale}" height="${height * scale}" `)
    .replaceAll("system-ui,sans-serif", "sans-serif")
    .replace(/var\((--[a-z]+)\)/g, (_, name: string) => lightColours[name]);
}

/** PNG, two pixels for a unit and a margin around. @throws {ChartError} */
export async function renderPng(figure: Figure): Promise<Buffer> {
  const { createCanvas, loadImage } = await loadCanvas();
  const [width, height] = [figure.width, figure.height].map((size) => Math.ceil(size * scale));
  const image = await loadImage(Buffer.from(standaloneSvg(figure)));
  const canvas = createCanvas(width + 2 * scale * margin, height + 2 * scale * margin);
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, scale * margin, scale * margin, width, height);
  return canvas.toBuffer("image/png");
}
