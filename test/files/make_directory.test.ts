import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkWritableDirectory, makeDirectory } from "../../src/files/make_directory.ts";
import { FileWriteError } from "../../src/files/write_error.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "make-directory-"));
  writeFileSync(path.join(folder, "file"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder in which this user can make nothing, also as root: /proc takes none, and without returning to `mkdir -p`. */
const isLinux = existsSync("/proc/self/status");

describe("makeDirectory", () => {
  it("makes what is missing on the way, and takes what is there", () => {
    const deep = path.join(folder, "a/b/c");
    makeDirectory(deep);
    makeDirectory(deep);
    expect(existsSync(deep)).toBe(true);
    symlinkSync(path.join(folder, "a"), path.join(folder, "link"));
    makeDirectory(path.join(folder, "link/d"));
    expect(existsSync(path.join(folder, "a/d"))).toBe(true);
  });

  it.runIf(isLinux)("refuses /proc at once", () => {
    expect(() => makeDirectory("/proc/x/y")).toThrow(
      new FileWriteError("cannot write /proc/x/y: no folder can be made there"),
    );
  });

  it("says what is in the way", () => {
    const file = path.join(folder, "file");
    expect(() => makeDirectory(file)).toThrow(`cannot write ${file}: it is a file, not a folder`);
    expect(() => makeDirectory(path.join(file, "x"))).toThrow(/file\/x: a part of the path is not a folder/);
    symlinkSync("/no/such/place", path.join(folder, "dangling"));
    expect(() => makeDirectory(path.join(folder, "dangling"))).toThrow(FileWriteError);
  });
});

describe("checkWritableDirectory", () => {
  it("leaves nothing behind", () => {
    mkdirSync(path.join(folder, "there"));
    checkWritableDirectory(path.join(folder, "there/x/y"));
    checkWritableDirectory(path.join(folder, "there"));
    expect(existsSync(path.join(folder, "there/x"))).toBe(false);
    expect(existsSync(path.join(folder, "there"))).toBe(true);
  });

  it.runIf(isLinux)("refuses what cannot be made", () => {
    expect(() => checkWritableDirectory("/proc/x")).toThrow(FileWriteError);
  });
});
