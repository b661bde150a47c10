/** bitnet-train at pseudo-terminals of several widths, ended by Ctrl-C: what a person sees of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { titleUnless } from "../support/missing.ts";
import { ctrlC, hasPseudoTerminal, PseudoTerminal } from "../support/pseudo_terminal.ts";
import { Screen } from "../support/screen.ts";

const program = path.join(import.meta.dirname, "../../cli/bin/bitnet-train.mjs");
const folder = mkdtempSync(path.join(tmpdir(), "bitnet-terminal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recipe = `model: {hidden_size: 256, num_hidden_layers: 1, intermediate_size: 256, num_attention_heads: 4}
tokenizer: {type: byte}
data: {sources: book.txt, validation_fraction: 0.1}
training: {max_steps: 100000, batch_size: 1, sequence_length: 16, log_every: 1, eval_every: 2, eval_batches: 1, checkpoint_every: 1}
`;

async function trainAt(columns: number): Promise<{ rows: string[]; code: number | null }> {
  const { CI: _, NO_COLOR: __, ...env } = process.env;
  const terminal = new PseudoTerminal(
    process.execPath,
    [program, "--config", "recipe.yaml", "--out", `run${columns}`, "--threads", "1"],
    { columns, cwd: folder, env: { ...env, TERM: "xterm", BITNET_CACHE: path.join(folder, `cache${columns}`) } },
  );
  try {
    await terminal.waitFor(/step 4\/100000 [\s\S]*step 5\/100000/);
    terminal.type(ctrlC);
    const code = await terminal.exited;
    const screen = new Screen(columns, 200);
    screen.stream.write(terminal.shown);
    return { rows: await screen.rows(), code };
  } finally {
    terminal.kill();
  }
}

describe.skipIf(!hasPseudoTerminal)(titleUnless(!hasPseudoTerminal, "python3", "at a terminal"), () => {
  test("metrics are never cut, the status line leaves nothing behind, a checkpoint is told once", async () => {
    writeFileSync(path.join(folder, "book.txt"), readFileSync(import.meta.filename, "utf8"));
    writeFileSync(path.join(folder, "recipe.yaml"), recipe);
    const widths = [40, 80, 200];
    const shown = await Promise.all(widths.map(trainAt));
    for (const [i, { rows, code }] of shown.entries()) {
      expect(code).toBe(130);
      const text = rows.join("\n");
      expect(rows.at(-1), text).toMatch(/--out run\d+$/);
      const columns = widths[i];
      // The line that is written again tells the loss with three digits.
      expect(text).not.toMatch(/loss \d+\.\d{3}(?!\d)|\^C/);
      const fields = rows.slice(rows.findIndex((row) => row.startsWith("step 2/"))).flatMap((row) => row.split("  "));
      const metrics = fields.filter((field) => /^(step|loss|val|lr|zeros|flips|ETA) |tokens\/s$/.test(field));
      expect(metrics.length).toBeGreaterThan(8);
      const pattern =
        /^(step \d+\/100000|loss \d+\.\d{4}|val \d+\.\d{4} \(\d+\.\d{3} bits\/byte\)|lr \d\.\d\de[-+]\d+|zeros \d+\.\d%|flips \d+\.\d{3}%|\d+ tokens\/s|ETA [\d:]+)$/;
      for (const field of metrics) expect(field, `${columns} columns:\n${text}`).toMatch(pattern);
      const checkpoints = rows.filter((row) => row.includes("checkpoints/step-"));
      expect(new Set(checkpoints).size).toBe(checkpoints.length);
    }
  }, 120_000);
});
