/** The files of a model where they lie: a folder of this machine, or a repository of the Hub. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { systemErrorText } from "../errors/system_error.ts";
import { UserError } from "../errors/user_error.ts";
import { type ByteSource, openLocalFile } from "../files/byte_source.ts";

export interface ModelFolder {
  /** As messages call it. */
  readonly path: string;
  /** Bytes of each file; names of files below have slashes. */
  readonly files: ReadonlyMap<string, number>;
  open(name: string): Promise<ByteSource>;
}

/** What is no model that can be looked into. */
export class InspectError extends UserError {
  override name = "InspectError";
}

/** The files that lie directly in a folder. @throws {InspectError} */
export async function localFolder(directory: string): Promise<ModelFolder> {
  const files = new Map<string, number>();
  try {
    for (const name of (await readdir(directory)).sort()) {
      const found = await stat(path.join(directory, name)).catch(() => null);
      if (found?.isFile()) files.set(name, found.size);
    }
  } catch (error) {
    throw new InspectError(`${directory}: ${systemErrorText(error)}`);
  }
  return {
    path: directory,
    files,
    async open(name) {
      const file = path.join(directory, name);
      try {
        const source = await openLocalFile(file);
        if (source !== null) return source;
      } catch (error) {
        throw new InspectError(`${file}: ${systemErrorText(error)}`);
      }
      throw new InspectError(`${file}: not a file`);
    },
  };
}

/** Largest config.json, tokenizer.json or index that is read. */
const maxTextBytes = 1 << 28;

/** The text of a file; null if it is not there. @throws {InspectError} if it is absurdly long. */
export async function textOf(folder: ModelFolder, name: string): Promise<string | null> {
  const size = folder.files.get(name);
  if (size === undefined) return null;
  if (size > maxTextBytes) throw new InspectError(`${folder.path}/${name} has ${size} bytes`);
  const source = await folder.open(name);
  try {
    return new TextDecoder().decode(await source.read(0, source.size));
  } finally {
    await source.close();
  }
}

/** The JSON object of a file; null if it is not there. @throws {InspectError} if it holds something else. */
export async function jsonOf(folder: ModelFolder, name: string): Promise<Record<string, unknown> | null> {
  const text = await textOf(folder, name);
  if (text === null) return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InspectError(`${folder.path}/${name} is not valid JSON`);
  }
  if (json !== null && typeof json === "object" && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new InspectError(`${folder.path}/${name}: not a JSON object`);
}
