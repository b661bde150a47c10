import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeWholeFile, writeWholeFileSync } from "../../src/files/whole_file.ts";

const root = path.resolve(import.meta.dirname, "../..");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "whole-file-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const forms: [string, (file: string, content: string) => Promise<void>][] = [
  ["writeWholeFile", writeWholeFile],
  ["writeWholeFileSync", async (file, content) => writeWholeFileSync(file, content)],
];

describe.each(forms)("%s", (_, write) => {
  it("replaces the file and leaves nothing beside it", async () => {
    const target = path.join(folder, "a");
    for (const text of ["old", "new"]) await write(target, text);
    expect(readFileSync(target, "utf8")).toBe("new");
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("follows a link and keeps the permissions", async () => {
    const target = path.join(folder, "a");
    writeFileSync(target, "old", { mode: 0o600 });
    symlinkSync("a", path.join(folder, "link"));
    await write(path.join(folder, "link"), "new");
    expect(readFileSync(target, "utf8")).toBe("new");
    if (process.platform !== "win32") expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["a", "link"]);
  });

  it.skipIf(process.platform === "win32")("writes to a device as it is", async () => {
    await write("/dev/null", "text");
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  it("names the file and the reason in one line", async () => {
    const below = path.join(folder, "absent/file");
    await expect(write(below, "x")).rejects.toThrow(
      `cannot write ${below}: no such file or folder: ${path.join(folder, "absent")}`,
    );
    await expect(write(folder, "x")).rejects.toThrow(`cannot write ${folder}: it is a folder, not a file`);
    mkdirSync(path.join(folder, "empty"));
    writeFileSync(path.join(folder, "file"), "");
    const inFile = path.join(folder, "file/below");
    await expect(write(inFile, "x")).rejects.toThrow(`cannot write ${inFile}: a part of the path is not a folder`);
  });

  it.skipIf(process.getuid?.() === 0)("leaves a write-protected file alone", async () => {
    const target = path.join(folder, "a");
    writeFileSync(target, "old");
    chmodSync(target, 0o400);
    await expect(write(target, "new")).rejects.toThrow(`cannot write ${target}: permission denied`);
    expect(readFileSync(target, "utf8")).toBe("old");
  });
});

describe("a producer", () => {
  it("writes pieces, and nobody sees them before the last", async () => {
    const target = path.join(folder, "a");
    writeFileSync(target, "old");
    await writeWholeFile(target, async (write) => {
      await write(Buffer.from("new "));
      expect(readFileSync(target, "utf8")).toBe("old");
      await write(Buffer.from("content"));
    });
    expect(readFileSync(target, "utf8")).toBe("new content");
  });

  it("fails with its own error, system errors included, and leaves nothing", async () => {
    const target = path.join(folder, "a");
    writeFileSync(target, "old");
    const written = writeWholeFile(target, async (write) => {
      await write(Buffer.from("new"));
      readFileSync(path.join(folder, "weights"));
    });
    await expect(written).rejects.toMatchObject({ code: "ENOENT", path: path.join(folder, "weights") });
    expect(readFileSync(target, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  // `ulimit -f` makes the system refuse a write in the middle, as a full disk does.
  it.skipIf(process.platform === "win32")("leaves nothing behind when the disk refuses", () => {
    const target = path.join(folder, "large");
    const module = path.join(root, "src/files/whole_file.ts");
    const script = `
      import { writeWholeFile } from ${JSON.stringify(module)};
      await writeWholeFile(${JSON.stringify(target)}, async (write) => {
        for (let i = 0; i < 64; i++) await write(new Uint8Array(65536));
      }).catch((error) => console.log(error.name + ": " + error.message));`;
    const file = path.join(folder, "script.mts");
    writeFileSync(file, script);
    const result = spawnSync("bash", ["-c", `ulimit -f 512; exec "$0" --import tsx "$1"`, process.execPath, file], {
      cwd: root,
      encoding: "utf8",
    });
    expect(result.stdout).toBe(`FileWriteError: cannot write ${target}: the file size limit is reached\n`);
    expect(readdirSync(folder)).toEqual(["script.mts"]);
  });
});
