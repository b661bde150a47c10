/** The files of a task in every format, by name, pattern and folder. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { TaskData } from "../../../src/eval/data/task_data.ts";
import { inputs } from "../../data/data_folder.ts";
import { taskOf, temporaryFolder } from "../task_fixture.ts";

const rows = [
  { q: "sky?", c: ["blue", "red"], y: 0 },
  { q: "grass?", c: ["blue", "red"], y: 1 },
];
const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Documents of a task with these files, and the remarks on them. */
async function read(files: string | string[], dataDirectory?: string) {
  const remarks: string[] = [];
  const named = files.length === 0 ? "" : `dataset_kwargs: {data_files: {test: ${JSON.stringify(files)}}}\n`;
  const task = taskOf(
    `dataset_path: json\n${named}output_type: multiple_choice\ntest_split: test\ndoc_to_text: q\ndoc_to_target: y\ndoc_to_choice: c\nmetric_list: [{metric: acc}]\n`,
  );
  const data = new TaskData({ dataDirectory, onRemark: (line) => remarks.push(line) });
  const { documents } = await data.documents(task, "test");
  return { documents: documents.map(({ document }) => document), remarks };
}

describe("data_files", () => {
  const contents: Record<string, string | Uint8Array> = {
    "a.jsonl": lines,
    "a.json": JSON.stringify(rows, null, 1),
    "b.json": JSON.stringify({ data: rows }),
    "a.jsonl.gz": gzipSync(lines),
    "a.NDJSON": lines,
    "no ending": lines,
  };
  it.each(Object.keys(contents))("%s", async (name) => {
    const file = path.join(temporaryFolder(), name);
    writeFileSync(file, contents[name]);
    expect((await read(file)).documents).toEqual(rows);
  });

  it("given inputs: gzip, and NaN as Python writes it", async () => {
    expect((await read(path.join(inputs, "ok.jsonl.gz"))).documents).toHaveLength(3);
    const [first, second] = (await read(path.join(inputs, "d.jsonl"))).documents;
    expect([first.s, second.s]).toEqual([Number.NaN, 1.5]);
  });

  it("CSV and TSV have the types of pandas", async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, "a.csv"), 'q,y,s\n"sky,\nblue?",0,1.5\ngrass?,1,NA\n');
    expect((await read(path.join(folder, "a.csv"))).documents).toEqual([
      { q: "sky,\nblue?", y: 0, s: 1.5 },
      { q: "grass?", y: 1, s: null },
    ]);
  });

  it("folders and patterns are read as in training, and what is left out is said", async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, "a.jsonl"), lines);
    writeFileSync(path.join(folder, "b.jsonl"), lines);
    writeFileSync(path.join(folder, "b.jsonl~"), lines);
    symlinkSync("gone", path.join(folder, "c.jsonl"));
    for (const source of [folder, path.join(folder, "*")]) {
      const { documents, remarks } = await read(source);
      expect(documents).toHaveLength(4);
      expect(remarks.join()).toMatch(/left out .*1 backup or unfinished \(b\.jsonl~\)/);
      expect(remarks.join()).toMatch(/1 broken link \(c\.jsonl\)/);
    }
    await expect(read(path.join(folder, "none.jsonl"))).rejects.toThrow(/mine\.yaml: no such file: .*none\.jsonl/);
    writeFileSync(path.join(folder, "test-00000-of-00002.jsonl"), lines);
    await expect(read(folder)).rejects.toThrow(/1 of 2 shards of .* is missing/);
  });
});

it("--data-dir has files of every kind", async () => {
  for (const [name, content] of [
    ["test.jsonl.gz", gzipSync(lines)] as const,
    ["test.json", JSON.stringify(rows)] as const,
  ]) {
    const folder = temporaryFolder();
    const file = path.join(folder, "mine", name);
    mkdirSync(path.dirname(file));
    writeFileSync(file, content);
    expect((await read([], folder)).documents).toEqual(rows);
  }
});
