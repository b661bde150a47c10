/** Pieces of HTML. */

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => escapes[character]);
}

const isNumber = (cell: string) => /^[<+−-]?\d/.test(cell);

/** A table that scrolls by itself in a narrow window; columns of numbers, but the first, stand to the right. */
export function htmlTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const right = header.map((_, i) => {
    const filled = rows.map((row) => row[i]).filter((cell) => cell !== "" && cell !== "-");
    return i > 0 && filled.length > 0 && filled.every(isNumber);
  });
  const row = (tag: "th" | "td", cells: readonly string[]) =>
    `<tr>${cells.map((cell, i) => `<${tag}${right[i] ? ' class="number"' : ""}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
  return `<div class="wide"><table><thead>${row("th", header)}</thead><tbody>\n${rows.map((cells) => row("td", cells)).join("\n")}\n</tbody></table></div>`;
}

/** Below 0.0001 only that is told. */
export function pValueText(p: number | null): string {
  return p === null ? "not known" : p < 1e-4 ? "<0.0001" : p.toFixed(4);
}
