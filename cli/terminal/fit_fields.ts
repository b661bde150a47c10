/** What of a status fits into one line: whole fields are left out, never a part of a number. */
import stringWidth from "string-width";

export interface Field {
  text: string;
  /** Of the fields that do not fit together, those with larger ranks go first. */
  rank: number;
}

/** Between fields. */
export const gap = "  ";

/**
 * The fields, in their order, that fit into `columns`; wide characters count as two.
 * @returns the line, and what is left of the columns
 */
export function fitFields(fields: readonly Field[], columns: number): { fitting: readonly Field[]; left: number } {
  const fitting = new Set<Field>();
  let left = columns;
  for (const field of [...fields].sort((a, b) => a.rank - b.rank)) {
    if (field.text === "") continue;
    const width = stringWidth(field.text) + (fitting.size > 0 ? gap.length : 0);
    if (width > left) break;
    left -= width;
    fitting.add(field);
  }
  return { fitting: fields.filter((field) => fitting.has(field)), left };
}

/** Lines of at most `columns`, broken between fields; those after the first are indented. */
export function wrapFields(texts: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const text of texts) {
    const last = lines.at(-1);
    if (last !== undefined && stringWidth(last) + gap.length + stringWidth(text) <= columns) {
      lines[lines.length - 1] = `${last}${gap}${text}`;
    } else {
      lines.push(last === undefined ? text : `${gap}${text}`);
    }
  }
  return lines;
}
