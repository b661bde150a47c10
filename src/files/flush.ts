/** Forces contents, and the names in a folder, to the disk. */
import { closeSync, fsyncSync, openSync } from "node:fs";
import { open } from "node:fs/promises";

const isWindows = process.platform === "win32";

export async function flushFile(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function flushFileSync(file: string): void {
  flushSync(file, "r+");
}

/** Makes renames in `folder` durable. Windows can open no folder: there the rename alone must do. */
export function flushFolderSync(folder: string): void {
  if (!isWindows) flushSync(folder, "r");
}

function flushSync(target: string, flags: string): void {
  const descriptor = openSync(target, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
