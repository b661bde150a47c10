/** Generated parts of pages: what stands between `<!-- begin:NAME -->` and `<!-- end:NAME -->`. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** What draws each block; null leaves it as it is (its data are not at hand). */
export type Blocks = Record<string, () => string | null>;

/** Names of the blocks of a page, in order. */
export function blockNames(text: string): string[] {
  return Array.from(text.matchAll(/<!-- begin:(\S+) -->/g), (match) => match[1]!);
}

/**
 * The page with the blocks in `blocks` drawn anew.
 * @throws {Error} if one of them has no end.
 */
export function withBlocks(text: string, blocks: Blocks): string {
  let drawn = text;
  for (const name of blockNames(text)) {
    const content = blocks[name]?.();
    if (content === undefined || content === null) continue;
    const begin = `<!-- begin:${name} -->\n`;
    const from = drawn.indexOf(begin) + begin.length;
    const to = drawn.indexOf(`<!-- end:${name} -->`, from);
    if (to < 0) throw new Error(`<!-- begin:${name} --> has no end`);
    drawn = `${drawn.slice(0, from)}${content}\n${drawn.slice(to)}`;
  }
  return drawn;
}

/** A Markdown table. */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [header, header.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/**
 * Draws the blocks of pages (paths from `root`); with `isCheck` it only looks. Returns the pages that differ, or did.
 * @throws {Error} if a block of `blocks` is on none of them.
 */
export function updatePages(root: string, pages: readonly string[], blocks: Blocks, isCheck: boolean): string[] {
  const texts = pages.map((page) => readFileSync(path.join(root, page), "utf8"));
  const named = texts.flatMap(blockNames);
  const missing = Object.keys(blocks).filter((name) => !named.includes(name));
  if (missing.length > 0) throw new Error(`no page has the block ${missing.join(", ")}`);
  return pages.filter((page, i) => {
    const after = withBlocks(texts[i]!, blocks);
    if (after === texts[i]) return false;
    if (!isCheck) writeFileSync(path.join(root, page), after);
    return true;
  });
}
