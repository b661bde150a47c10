import { describe, expect, it } from "vitest";
import { missingShards, missingShardsText } from "../../src/data/missing_shards.ts";

describe("missingShards", () => {
  it("names what a series lacks", () => {
    const [found, ...others] = missingShards(["data/train-00000-of-00003.parquet", "data/test-00000-of-00001.parquet"]);
    expect(others).toEqual([]);
    expect(found).toEqual({
      series: "data/train-*-of-00003.parquet",
      total: 3,
      missing: ["data/train-00001-of-00003.parquet", "data/train-00002-of-00003.parquet"],
    });
    expect(missingShardsText(found)).toBe(
      "2 of 3 shards of data/train-*-of-00003.parquet are missing: data/train-00001-of-00003.parquet, data/train-00002-of-00003.parquet",
    );
  });

  it("is content with whole series, also with the hashes of older data sets of the Hub", () => {
    const hashed = ["train-00000-of-00002-1f2e3d4c5b6a7988.parquet", "train-00001-of-00002-aabbccddeeff0011.parquet"];
    expect(missingShards([...hashed, "a.txt", "part-3-of-2.txt", "one-of-us.txt"])).toEqual([]);
    expect(missingShards(hashed.slice(1))[0].missing).toEqual(["train-00000-of-00002.parquet"]);
  });

  it("counts the shards of models from one", () => {
    expect(missingShards(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])).toEqual([]);
    expect(missingShards(["a-00003-of-00003.gguf", "a-00001-of-00003.gguf"])[0].missing).toEqual([
      "a-00002-of-00003.gguf",
    ]);
  });

  it("tells folders, splits, endings and totals apart", () => {
    const files = [
      "a/x-0-of-2.jsonl.gz",
      "b/x-1-of-2.jsonl.gz",
      "b/x-0-of-2.jsonl",
      "b/x-1-of-2.jsonl",
      "00000-of-00002.txt",
    ];
    expect(missingShards(files).map(({ missing }) => missing)).toEqual([
      ["a/x-1-of-2.jsonl.gz"],
      ["b/x-0-of-2.jsonl.gz"],
      ["00001-of-00002.txt"],
    ]);
    expect(missingShardsText(missingShards(["x-00007-of-00100.txt"])[0])).toBe(
      "99 of 100 shards of x-*-of-00100.txt are missing: x-00000-of-00100.txt, x-00001-of-00100.txt, x-00002-of-00100.txt, ...",
    );
  });
});
