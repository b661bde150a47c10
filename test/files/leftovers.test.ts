/** What is left when a process is killed in the middle of writing, and who removes it. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sweepLeftovers, temporaryPath } from "../../src/files/leftovers.ts";
import { writeWholeDirectory } from "../../src/files/whole_directory.ts";
import { writeWholeFile } from "../../src/files/whole_file.ts";

const root = path.resolve(import.meta.dirname, "../..");
const files = path.join(root, "src/files");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "leftovers-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs `script`, which says "half" on stdout and waits; kills it there. */
async function killHalfWay(script: string): Promise<void> {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], { cwd: root });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const closed = once(child, "close");
  await Promise.race([once(child.stdout, "data"), closed]);
  expect(stderr).toBe("");
  child.kill("SIGKILL");
  await closed;
}

/** The path of a process that has ended would have given, had it written `target`. */
function leftoverOf(target: string, way: "new" | "old"): string {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  return temporaryPath(target, way).replace(`-${process.pid}-`, `-${pid}-`);
}

describe("kill -9", () => {
  const wait = `console.log("half"); await new Promise((resolve) => setTimeout(resolve, 60_000));`;

  it("in the middle of a file leaves the old one; the next write sweeps", async () => {
    const target = path.join(folder, "model.gguf");
    writeFileSync(target, "old");
    await killHalfWay(`
      import { writeWholeFile } from ${JSON.stringify(path.join(files, "whole_file.ts"))};
      await writeWholeFile(${JSON.stringify(target)}, async (write) => { await write(new Uint8Array(1000)); ${wait} });`);
    expect(readFileSync(target, "utf8")).toBe("old");
    expect(readdirSync(folder)).toHaveLength(2);
    await writeWholeFile(path.join(folder, "other"), "x");
    expect(readdirSync(folder)).toEqual(["model.gguf", "other"]);
  }, 60_000);

  it("in the middle of a directory leaves the old one; the next write sweeps", async () => {
    const target = path.join(folder, "model");
    mkdirSync(target);
    writeFileSync(path.join(target, "marker"), "old");
    await killHalfWay(`
      import { writeFileSync } from "node:fs";
      import { writeWholeDirectory } from ${JSON.stringify(path.join(files, "whole_directory.ts"))};
      await writeWholeDirectory(${JSON.stringify(target)}, "marker", async (temporary) => {
        writeFileSync(temporary + "/marker", "new"); ${wait} });`);
    expect(readFileSync(path.join(target, "marker"), "utf8")).toBe("old");
    expect(readdirSync(folder)).toHaveLength(2);
    const fill = async (temporary: string) => writeFileSync(path.join(temporary, "marker"), "newest");
    await writeWholeDirectory(target, "marker", fill);
    expect(readdirSync(folder)).toEqual(["model"]);
    expect(readFileSync(path.join(target, "marker"), "utf8")).toBe("newest");
  }, 60_000);
});

describe("sweepLeftovers", () => {
  it("leaves what living processes, other machines and people have named", () => {
    const ours = path.basename(temporaryPath("model", "new"));
    const kept = [ours, ours.replace(/new-......../, "new-00000000"), ".hidden", ".model.new-7", "a.new-1-2-3-4"];
    for (const name of kept) writeFileSync(path.join(folder, name), "");
    writeFileSync(leftoverOf(path.join(folder, "model"), "new"), "");
    sweepLeftovers(folder);
    expect(readdirSync(folder).sort()).toEqual(kept.sort());
  });

  it("knows a process that has got our id again", () => {
    const name = path.basename(temporaryPath("model", "new")).replace(/[0-9a-f]{8}(-\d+)$/, "00000000$1");
    writeFileSync(path.join(folder, name), "");
    sweepLeftovers(folder);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("gives a directory its name back whose successor never came", () => {
    const target = path.join(folder, "model");
    mkdirSync(leftoverOf(target, "old"));
    mkdirSync(leftoverOf(target, "new"));
    sweepLeftovers(folder);
    expect(readdirSync(folder)).toEqual(["model"]);
    const other = path.join(folder, "other");
    mkdirSync(other);
    mkdirSync(leftoverOf(other, "old"));
    sweepLeftovers(folder);
    expect(readdirSync(folder)).toEqual(["model", "other"]);
  });

  it("says nothing of a folder that is not there", () => {
    sweepLeftovers(path.join(folder, "absent"));
    expect(existsSync(path.join(folder, "absent"))).toBe(false);
  });
});
