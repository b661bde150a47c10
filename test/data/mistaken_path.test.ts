import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { localTokenizer } from "../../src/data/hub_tokenizer.ts";
import { nothingHere } from "../../src/data/mistaken_path.ts";
import { resolveCorpus } from "../../training/data/corpus.ts";

let folder: string;
const before = process.cwd();
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "mistaken-"));
  mkdirSync(path.join(folder, "data"));
  writeFileSync(path.join(folder, "data/books.txt"), "text");
  writeFileSync(path.join(folder, "data/map.jsonl"), "{}");
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});
const env = { HF_HOME: "/nowhere", HF_HUB_OFFLINE: "1" };

it("names the nearest file", async () => {
  expect(await nothingHere("data/map")).toBe("no such file or folder here (the nearest is data/map.jsonl)");
  expect(await nothingHere("data/book.txt")).toBe("no such file or folder here (the nearest is data/books.txt)");
  expect(await nothingHere("data/something.else")).toBe("no such file or folder here");
  expect(await nothingHere("owner/corpus")).toBe("no such file or folder here");
});

it("does not read addresses", async () => {
  for (const address of ["https://example.org/book.txt", "s3://bucket/book.txt"]) {
    await expect(resolveCorpus([address])).rejects.toThrow(
      `${address}: addresses are not read: download the file first`,
    );
  }
});

it("a mistyped path is not taken for a data set without a word", async () => {
  const remarks: string[] = [];
  await expect(resolveCorpus(["data/map"], { env, onRemark: (line) => remarks.push(line) })).rejects.toThrow(
    /^data\/map: no such file or folder here \(the nearest is data\/map\.jsonl\), and on the Hugging Face Hub: data set data\/map: not in the cache/,
  );
  expect(remarks).toEqual([
    "data/map: no such file or folder here (the nearest is data/map.jsonl); taken for a data set of the Hugging Face Hub",
  ]);
  await expect(resolveCorpus(["./data/book.txt"])).rejects.toThrow(
    "./data/book.txt: no such file or folder here (the nearest is data/books.txt)",
  );
  await expect(localTokenizer("data/tokeniser", { env })).rejects.toThrow(
    /^data\/tokeniser: no such file or folder here, and on the Hugging Face Hub: model data\/tokeniser: /,
  );
});
