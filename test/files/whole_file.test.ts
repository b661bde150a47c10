import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { writeFileAtomically } from "../../src/files/whole_file.ts";

const folder = mkdtempSync(path.join(tmpdir(), "atomic-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("writeFileAtomically", () => {
  it("replaces a file by the whole new content", async () => {
    const target = path.join(folder, "a");
    writeFileSync(target, "old");
    await writeFileAtomically(target, async (write) => {
      await write(Buffer.from("new "));
      expect(readFileSync(target, "utf8")).toBe("old");
      await write(Buffer.from("content"));
    });
    expect(readFileSync(target, "utf8")).toBe("new content");
  });

  it("says in one line where it cannot write", async () => {
    const target = path.join(folder, "absent/file");
    const written = writeFileAtomically(target, async () => undefined);
    await expect(written).rejects.toThrow(`cannot write ${target}: the folder does not exist`);
  });

  // `ulimit -f` makes the system refuse a write in the middle, as a full disk does.
  it.skipIf(process.platform === "win32")("leaves nothing behind when the disk refuses", () => {
    const target = path.join(folder, "large");
    const module = fileURLToPath(new URL("../../src/files/whole_file.ts", import.meta.url));
    const script = `
      import { writeFileAtomically } from ${JSON.stringify(module)};
      await writeFileAtomically(${JSON.stringify(target)}, async (write) => {
        for (let i = 0; i < 64; i++) await write(new Uint8Array(65536));
      }).catch((error) => console.log(error.name + ": " + error.message));`;
    const file = path.join(folder, "script.mts");
    writeFileSync(file, script);
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const result = spawnSync("bash", ["-c", `ulimit -f 512; exec "$0" --import tsx "$1"`, process.execPath, file], {
      cwd: root,
      encoding: "utf8",
    });
    expect(result.stdout).toBe(`FileWriteError: cannot write ${target}: the file size limit is reached\n`);
    expect(readdirSync(folder).sort()).toEqual(["a", "script.mts"]);
  });
});
