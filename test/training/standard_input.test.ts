import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { canonicalFlags } from "../../cli/command.ts";
import { spoolInput, withStandardInput } from "../../training/standard_input.ts";
import { temporaryFolder } from "./data/temporary_folder.ts";

const input = (text: string | Uint8Array) => Readable.from([Buffer.from(text)]);

it("keeps the input under a name of its content, with the ending of its kind", async () => {
  const folder = temporaryFolder();
  const kinds: [text: string, ending: string][] = [
    ["some text\n", ".txt"],
    ['\ufeff {"text":"x"}\n', ".jsonl"],
    ['[{"text":"x"}]', ".json"],
  ];
  for (const [text, ending] of kinds) {
    const file = await spoolInput(path.join(folder, "cache"), input(text));
    expect(path.extname(file)).toBe(ending);
    expect(readFileSync(file, "utf8")).toBe(text);
    expect(await spoolInput(path.join(folder, "cache"), input(text))).toBe(file);
  }
  expect(readdirSync(path.join(folder, "cache"))).toHaveLength(3);
});

it("refuses what is no text, and leaves nothing", async () => {
  const folder = temporaryFolder();
  await expect(spoolInput(folder, input(""))).rejects.toThrow("data.sources -: nothing came from standard input");
  await expect(spoolInput(folder, input(gzipSync("x")))).rejects.toThrow(/packed: unpack it on the way \(zcat/);
  const terminal = Object.assign(input("x"), { isTTY: true });
  await expect(spoolInput(folder, terminal)).rejects.toThrow(/standard input is a terminal/);
  expect(readdirSync(folder)).toEqual([]);
});

it("stands among the sources as -", async () => {
  const folder = temporaryFolder();
  const nowhere = () => {
    throw new Error("not asked for");
  };
  expect(await withStandardInput(["a.txt"], nowhere)).toEqual(["a.txt"]);
  const [first, second] = await withStandardInput(["a.txt", "-"], () => folder, input("x"));
  expect(first).toBe("a.txt");
  expect(second).toMatch(/stdin-[0-9a-f]{16}\.txt$/);
  const flags = { data: { type: "array", string: true }, out: { type: "string" } } as const;
  expect(canonicalFlags(["--data", "-", "--out", "r"], flags)).toEqual(["--data=-", "--out", "r"]);
});
