/** Which files of folders and patterns are read, and what is said of the others. */
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { findLocalFiles, leftOutText } from "../../src/data/local_files.ts";
import { folderOf } from "./data_folder.ts";

const row = '{"text":"x"}\n';

async function found(folder: string, pattern = ""): Promise<{ files: string[]; leftOut: string }> {
  const { files, leftOut } = (await findLocalFiles(path.join(folder, pattern)))!;
  return { files: files.map((file) => path.relative(folder, file)), leftOut: leftOutText(leftOut) };
}

const fails = (source: string, message: string | RegExp) => expect(findLocalFiles(source)).rejects.toThrow(message);

describe("a folder and a pattern", () => {
  const files = {
    "one.txt": "x",
    ".ipynb_checkpoints/one-checkpoint.txt": "x",
    ".git/description.txt": "x",
    "._one.txt": "x",
    "sub/two.txt": "x",
    "node_modules/p/three.txt": "x",
    "__MACOSX/four.txt": "x",
    "one.txt~": "x",
    "#one.txt#": "x",
    "two.txt.swp": "x",
    "two.txt.part": "x",
    "a.pdf": "x",
    "b.jsonl.xz": "x",
  };

  it("leave out what nobody means and cannot be read, and count it", async () => {
    const folder = folderOf(files);
    expect(await found(folder)).toEqual({
      files: ["one.txt", "sub/two.txt"],
      leftOut: expect.stringMatching(/3 hidden \(.*\.git.*\).*/),
    });
    const { leftOut } = await found(folder);
    expect(leftOut).toContain("2 of tools (");
    expect(leftOut).toContain("4 backup or unfinished (");
    expect(leftOut).toContain("1 .pdf");
    expect(leftOut).toContain("1 .jsonl.xz (unxz)");
    expect((await found(folder, "**")).files).toEqual(["one.txt", "sub/two.txt"]);
    expect((await found(folder, "*.txt")).files).toEqual(["one.txt"]);
    expect((await found(folder, "node_modules/**/*.txt")).files).toEqual(["node_modules/p/three.txt"]);
    expect((await found(folder, ".git/*.txt")).files).toEqual([".git/description.txt"]);
    expect((await found(path.join(folder, ".git"))).files).toEqual(["description.txt"]);
  });

  it("say which kinds they have if none can be read", async () => {
    const folder = folderOf({ "a.pdf": "x", "b.pdf": "x", "c.jsonl.bz2": "x", Makefile: "x" });
    await fails(folder, /no readable file in this folder: it has .*2 \.pdf.* \(readable: \.txt/);
    await fails(
      path.join(folder, "*"),
      /no readable file matches; it matches .*1 \.jsonl\.bz2 \(bunzip2\).*\(readable/,
    );
    await fails(path.join(folder, "c.jsonl.bz2"), "no readable kind of file: .jsonl.bz2 (bunzip2)");
    await fails(folderOf({}), /no readable file in this folder \(readable/);
  });

  it("take no README for the data", async () => {
    const only = folderOf({ "README.md": "x", "a.jsonl.xz": "x" });
    await fails(only, /only README\.md can be read here, and not 1 \.jsonl\.xz \(unxz\); name .*README\.md itself/);
    await fails(path.join(only, "*"), /only README\.md can be read here/);
    expect((await findLocalFiles(path.join(only, "README.md")))!.files).toHaveLength(1);
    const card = folderOf({ "README.md": "x", "data/a.jsonl.zst": "x", "dataset_info.json": "{}", "LICENSE.txt": "x" });
    const chosen = await found(card);
    expect(chosen.files).toEqual(["data/a.jsonl.zst"]);
    expect(chosen.leftOut).toMatch(/^3 description \(.*README\.md.*\)$/);
    const pages = folderOf({ "README.md": "x", "chapter.md": "x" });
    expect((await found(pages)).files).toEqual(["README.md", "chapter.md"]);
  });
});

describe("links", () => {
  it("that lead nowhere are named", async () => {
    const folder = folderOf({ "a.txt": "x" });
    symlinkSync("gone.txt", path.join(folder, "b.txt"));
    symlinkSync(".", path.join(folder, "again"));
    const { files, leftOut } = await found(folder);
    expect(files).toEqual(["a.txt"]);
    expect(leftOut).toContain("1 broken link (b.txt)");
    expect(leftOut).toContain("1 link to a folder (again)");
    await fails(path.join(folder, "b.txt"), /b\.txt: a link to gone\.txt, which is not there/);
    rmSync(path.join(folder, "b.txt"));
    symlinkSync("../.git/annex/objects/x/SHA256E-s5--ab.txt", path.join(folder, "b.txt"));
    await fails(folder, /b\.txt: a link of git-annex to content that is not here: git annex get/);
  });
});

describe("shards", () => {
  it("that are missing are an error, unless the file is named", async () => {
    const folder = folderOf({ "train-00000-of-00002.jsonl": row, "test-00000-of-00001.jsonl": row });
    const message =
      /1 of 2 shards of .*train-\*-of-00002\.jsonl is missing: .*train-00001-of-00002\.jsonl; to read a part/;
    await fails(folder, message);
    await fails(path.join(folder, "*.jsonl"), message);
    expect((await found(folder, "test*")).files).toHaveLength(1);
    expect((await found(folder, "train-00000-of-00002.jsonl")).files).toHaveLength(1);
    writeFileSync(path.join(folder, "train-00001-of-00002.jsonl"), row);
    expect((await found(folder)).files).toHaveLength(3);
    expect((await found(folder, "train-00000*")).files).toHaveLength(1);
  });
});

it("a path that is not there is nobody's", async () => {
  expect(await findLocalFiles("no/such/file.txt")).toBeNull();
});
