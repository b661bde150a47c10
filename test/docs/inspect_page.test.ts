/** The commands of docs/inspect.md do what the page says, on a small run and its export. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportModel, planExport } from "../../export/index.ts";
import { writeCheckpoint } from "../../src/checkpoint/write_checkpoint.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "../export/small_model.ts";
import { printedCommand } from "../support/printed_command.ts";
import { hasNative } from "../support/tfjs_backends.ts";

const page = readFileSync(path.join(import.meta.dirname, "../../docs/inspect.md"), "utf8");
/** Arguments of each command of the page's first block. */
const lines = Array.from(page.matchAll(/^npx bitnet-inspect ([^#\n]+)/gm), ([, args]) => args!.trim());

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-inspect-page-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => path.join(folder, name);

beforeAll(async () => {
  const config = smallConfig();
  const parameters = smallParameters(config);
  const tokenizer = smallTokenizer();
  const checkpoints = at("runs/book/checkpoints");
  mkdirSync(checkpoints, { recursive: true });
  const written = { config, tokenizer, parameters: (name: string) => parameters.get(name)! };
  await writeCheckpoint(path.join(checkpoints, "step-00000001"), written);
  writeFileSync(path.join(checkpoints, "latest"), "step-00000001\n");
  const plan = planExport(config, tokenizer, { target: "bitnet-lab", name: "book" });
  await exportModel(plan, at("book.gguf"), readerOf(parameters));
});

/** `bitnet-inspect ARGS`, with the names of the page in the folder. */
function run(args: string): Promise<{ out: string; code: number }> {
  const words = args.split(" ").map((word) => (/^(?:book\.gguf|runs\/book|codes\.png)$/.test(word) ? at(word) : word));
  return printedCommand("bitnet-inspect", words);
}

/** What is printed by each. */
const expected: Record<string, readonly (string | RegExp)[]> = {
  "book.gguf": [
    /^model +bitnet-b1\.58, book, 1,259,264 parameters$/m,
    /\| TQ2_0 +\| +14 \| 1,\d{3},\d{3} \|.*%/,
    hasNative ? /^bitnet-lab +computes it$/m : "the file was not run",
    /^bitnet\.cpp, x86 .*unknown model architecture/m,
  ],
  "book.gguf --no-values": [/^bitnet-lab +not known/m, "RMS epsilon 0.00001"],
  "runs/book": [/^quantization +autobitlinear, online/m, /^transformers +computes it/m],
  "book.gguf --keys": ["bitnet-b1.58.block_count = 2", /tokenizer\.ggml\.tokens = \[.*\] \(300\)/],
  "book.gguf --tensors --tensor blk.0.": [/\| blk\.0\.attn_q\.weight +\| TQ2_0 \| 256x256 \|/],
  "book.gguf --picture codes.png": ["wrote "],
  "book.gguf --json": ['"reader": "llama.cpp"'],
  "--diff book.gguf runs/book": ["24 of 24 tensors have the same values"],
};

describe("docs/inspect.md", () => {
  it("has these commands", () => {
    expect(lines).toEqual(Object.keys(expected));
  });

  it.each(Object.entries(expected))("%s", async (args, parts) => {
    const { out, code } = await run(args);
    expect(code, out).toBe(0);
    for (const part of parts) {
      if (typeof part === "string") expect(out).toContain(part);
      else expect(out).toMatch(part);
    }
    if (args.endsWith("--json")) expect(JSON.parse(out)).toMatchObject({ container: "gguf", files: 1 });
    if (args.includes("--picture")) expect(readFileSync(at("codes.png")).subarray(1, 4).toString()).toBe("PNG");
  });

  it("says by the exit code that models differ, or could not be compared", async () => {
    const other = at("other.gguf");
    const config = smallConfig();
    const parameters = smallParameters(config);
    const [name] = [...parameters.keys()].filter((key) => key.endsWith("q_proj.weight"));
    const changed = new Map(parameters).set(
      name!,
      parameters.get(name!)!.map((value) => -value),
    );
    await exportModel(
      planExport(config, smallTokenizer(), { target: "bitnet-lab", name: "other", type: "tq1_0" }),
      other,
      readerOf(changed),
    );
    const { out, code } = await run(`--diff book.gguf ${other}`);
    expect(code).toBe(1);
    expect(out).toMatch(/\| blk\.0\.attn_q\.weight \| TQ2_0, TQ1_0 \| +\d+ \| +0\.0 \|/);
    expect(out).toContain("23 of 24 tensors have the same values: the models differ");
    expect(await run(`--diff book.gguf ${at("absent.gguf")}`)).toMatchObject({ code: 2 });
    expect(existsSync(at("absent.gguf"))).toBe(false);
    expect((await run(`${folder}/nothing`)).code).toBe(1);
  });
});
