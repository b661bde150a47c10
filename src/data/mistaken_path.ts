/** `data/book` may be a file that is not there, or a name on the Hub: what is said where it is neither. */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { nearestName } from "../errors/nearest_name.ts";
import { DataError } from "./data_error.ts";

/** The name in the folder that `source` would lie in that is most like it; null if there is no such folder or name. */
async function nearestFile(source: string): Promise<string | null> {
  const folder = path.dirname(source);
  const names = await readdir(folder).catch(() => []);
  const wanted = path.basename(source);
  // Its ending is what is forgotten most.
  const found = names.find((name) => path.parse(name).name === wanted) ?? nearestName(wanted, names);
  return found === undefined ? null : path.join(folder, found);
}

/** Whether the folder that `source` would lie in is there: then it is likely to be meant as a path. */
export async function couldBePath(source: string): Promise<boolean> {
  return (await readdir(path.dirname(source)).catch(() => null)) !== null;
}

/** `no such file or folder here (the nearest is data/book.txt)` */
export async function nothingHere(source: string): Promise<string> {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(source)) return "addresses are not read: download the file first";
  const nearest = await nearestFile(source);
  return `no such file or folder here${nearest === null ? "" : ` (the nearest is ${nearest})`}`;
}

/** The result of asking the Hub for `source`, which lies nowhere here. @throws {DataError} that says so */
export async function askedInstead<T>(source: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(`${source}: ${await nothingHere(source)}, and on the Hugging Face Hub: ${error.message}`);
  }
}
