/** One HTML file that can be sent alone, and the parts that every page has. Nothing from the network. */
import { escapeHtml } from "./markup.ts";
import { colourOf, style } from "./style.ts";

/** A whole page. @param body HTML; `title` is text */
export function htmlPage(title: string, body: readonly string[], head = ""): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>${head}</head><body>
${body.filter((part) => part !== "").join("\n")}
</body></html>
`;
}

/** A heading with what stands below it; "" if that is nothing. @param parts HTML */
export function section(title: string, ...parts: readonly string[]): string {
  const body = parts.filter((part) => part !== "").join("\n");
  return body === "" ? "" : `<h2>${escapeHtml(title)}</h2>\n${body}`;
}

export const faintLine = (text: string) => `<p class="faint">${escapeHtml(text)}</p>`;

export const textLines = (texts: readonly string[]) =>
  texts.map((text) => `<p class="line">${escapeHtml(text)}</p>`).join("\n");

/** Names and values, without those that have none. */
export function definitionList(entries: readonly (readonly [name: string, value: string | null])[]): string {
  const list = entries.flatMap(([name, value]) =>
    value === null ? [] : [`<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`],
  );
  return list.length === 0 ? "" : `<dl>${list.join("\n")}</dl>`;
}

/** Names with the colours that they have everywhere on the page. */
export function legend(names: readonly string[]): string {
  const entries = names.map((name, i) => `<span><i style="background:${colourOf(i)}"></i>${escapeHtml(name)}</span>`);
  return `<p class="legend">${entries.join("")}</p>`;
}
