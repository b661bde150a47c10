/** Runs the code cells of every notebook from top to bottom in Deno, as the notebook's kernel would. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { describe, expect, it } from "vitest";

const folder = path.join(import.meta.dirname, "../../notebooks");
const notebooks = readdirSync(folder).filter((name) => name.endsWith(".ipynb"));
const deno = createRequire(import.meta.url).resolve("deno/bin.cjs");

interface Cell {
  cell_type: string;
  source: string | string[];
}

const sourceOf = (cell: Cell) => (Array.isArray(cell.source) ? cell.source.join("") : cell.source);

describe("notebooks", () => {
  it("there are some", () => {
    expect(notebooks).toContain("first_steps.ipynb");
  });

  it.each(notebooks)("%s runs from top to bottom", { timeout: 120_000 }, (name) => {
    const { cells } = JSON.parse(readFileSync(path.join(folder, name), "utf8")) as { cells: Cell[] };
    const code = cells.filter((cell) => cell.cell_type === "code").map(sourceOf);
    expect(code.length).toBeGreaterThan(0);
    // In the notebook's folder, so that relative imports mean what they mean in the notebook.
    const script = path.join(folder, `.${name}.${process.pid}.ts`);
    const mark = (index: number) => `console.log("cell ${index} done");`;
    writeFileSync(script, code.map((source, index) => `${source}\n${mark(index)}\n`).join("\n"));
    try {
      const output = execFileSync(process.execPath, [deno, "run", "--allow-all", "--no-check", script], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      });
      for (const index of code.keys()) expect(output).toContain(`cell ${index} done`);
    } finally {
      rmSync(script, { force: true });
    }
  });
});
