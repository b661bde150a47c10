/** One writer for a folder: a living one is told, a dead one is forgotten. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { FolderLockedError, folderWriter, lockFolder } from "../../src/files/folder_lock.ts";

const folder = mkdtempSync(path.join(tmpdir(), "lock-"));
const file = path.join(folder, ".lock");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const holder = (pid: number, changes = {}) => JSON.stringify({ host: hostname(), pid, started: null, ...changes });

test("is held until it is released", () => {
  const release = lockFolder(folder);
  expect(folderWriter(folder)).toBe(process.pid);
  expect(() => lockFolder(folder)).toThrow(FolderLockedError);
  expect(() => lockFolder(folder)).toThrow(`process ${process.pid} writes there`);
  release();
  expect(existsSync(file)).toBe(false);
  lockFolder(folder)();
});

test("a process that was killed holds nothing", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  writeFileSync(file, holder(child.pid!));
  expect(folderWriter(folder)).toBe(child.pid);
  expect(() => lockFolder(folder)).toThrow(`process ${child.pid} writes there`);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  expect(folderWriter(folder)).toBeNull();
  const release = lockFolder(folder);
  expect(JSON.parse(readFileSync(file, "utf8")).pid).toBe(process.pid);
  release();
});

test("nor does another machine, or a later process with the same id", () => {
  writeFileSync(file, holder(process.pid, { host: "elsewhere.invalid" }));
  expect(folderWriter(folder)).toBeNull();
  lockFolder(folder)();
  writeFileSync(file, holder(process.pid, { started: "1" }));
  expect(folderWriter(folder)).toBeNull();
  lockFolder(folder)();
  writeFileSync(file, "");
  lockFolder(folder)();
});
