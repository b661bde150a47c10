/** Markdown tables that also read well in a terminal: columns of equal width, numbers to the right. */
import { largest } from "../../arrays/large_arrays.ts";

const isNumber = (cell: string) => /^[<+-]?\d/.test(cell);

/** @returns one line for the header, one for the rule, one for each row */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const columns = header.map((name, i) => {
    const cells = rows.map((row) => row[i] ?? "");
    const filled = cells.filter((cell) => cell !== "" && cell !== "N/A" && cell !== "-");
    const width = largest(
      [name, ...cells].map((cell) => [...cell].length),
      3,
    );
    return { right: filled.length > 0 && filled.every(isNumber), width };
  });
  const pad = (cell: string, i: number) => {
    const space = " ".repeat(columns[i].width - [...cell].length);
    return columns[i].right ? space + cell : cell + space;
  };
  const line = (cells: readonly string[]) => `| ${header.map((_, i) => pad(cells[i] ?? "", i)).join(" | ")} |`;
  const rule = columns.map(({ right, width }) => (right ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(header), `| ${rule.join(" | ")} |`, ...rows.map(line)];
}
