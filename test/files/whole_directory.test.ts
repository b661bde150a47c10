import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeWholeDirectory } from "../../src/files/whole_directory.ts";

let folder: string;
let target: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "whole-directory-"));
  target = path.join(folder, "model");
});
afterEach(() => rmSync(folder, { recursive: true }));

const fill = (text: string) => async (temporary: string) => writeFileSync(path.join(temporary, "marker"), text);
const content = () => readFileSync(path.join(target, "marker"), "utf8");

describe("writeWholeDirectory", () => {
  it("makes the directory and its parents, and replaces its own", async () => {
    target = path.join(folder, "deep/model");
    for (const text of ["old", "new"]) await writeWholeDirectory(target, "marker", fill(text));
    expect(content()).toBe("new");
    expect(readdirSync(path.join(folder, "deep"))).toEqual(["model"]);
  });

  it("takes the place of an empty one", async () => {
    mkdirSync(target);
    await writeWholeDirectory(target, "marker", fill("new"));
    expect(content()).toBe("new");
  });

  it("refuses somebody else's before anything is written", async () => {
    mkdirSync(target);
    writeFileSync(path.join(target, "thesis.tex"), "");
    let asked = false;
    const written = writeWholeDirectory(target, "marker", async () => {
      asked = true;
    });
    await expect(written).rejects.toThrow(`${target} holds other files: choose a new or empty directory`);
    expect(asked).toBe(false);
    expect(readdirSync(folder)).toEqual(["model"]);
  });

  it("keeps the old one when filling fails", async () => {
    await writeWholeDirectory(target, "marker", fill("old"));
    const written = writeWholeDirectory(target, "marker", async (temporary) => {
      writeFileSync(path.join(temporary, "marker"), "new");
      throw new TypeError("broken");
    });
    await expect(written).rejects.toThrow(new TypeError("broken"));
    expect(content()).toBe("old");
    expect(readdirSync(folder)).toEqual(["model"]);
  });

  it("names the directory that was meant, not the temporary one", async () => {
    const written = writeWholeDirectory(target, "marker", async (temporary) => {
      writeFileSync(path.join(temporary, "n".repeat(500)), "");
    });
    await expect(written).rejects.toThrow(`cannot write ${target}: the name is too long`);
    const reading = writeWholeDirectory(target, "marker", async () => void readFileSync(path.join(folder, "weights")));
    await expect(reading).rejects.toMatchObject({ code: "ENOENT", path: path.join(folder, "weights") });
    writeFileSync(path.join(folder, "file"), "");
    const below = path.join(folder, "file/model");
    await expect(writeWholeDirectory(below, "marker", fill("x"))).rejects.toThrow(
      `cannot write ${below}: a part of the path is not a folder`,
    );
  });

  it("is dropped if it is not wanted any more", async () => {
    await writeWholeDirectory(target, "marker", fill("new"), async () => false);
    expect(existsSync(target)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});
