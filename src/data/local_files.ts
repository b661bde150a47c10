/**
 * The data files that a path, a folder or a pattern stands for, and what was left out of them: hidden files, backups, kinds
 * that cannot be read, links that lead nowhere. A folder and a pattern are treated alike; a file that is named is taken.
 */

import { lstat, readdir, readlink, stat } from "node:fs/promises";
import path from "node:path";
import { append } from "../arrays/large_arrays.ts";
import { DataError } from "./data_error.ts";
import { formatOf, readableKinds, unreadableKind } from "./data_format.ts";
import { expandGlob, isGlob } from "./glob.ts";
import { missingShards, missingShardsText } from "./missing_shards.ts";
import { isDescription, unwantedName } from "./unwanted_names.ts";

export interface LeftOut {
  /** As it is counted: `hidden`, `.pdf`. */
  reason: string;
  name: string;
}

export interface LocalFiles {
  /** Sorted by path. */
  files: string[];
  leftOut: LeftOut[];
}

const reasons = {
  hidden: "hidden",
  backup: "backup or unfinished",
  tool: "of tools",
  link: "broken link",
  folderLink: "link to a folder",
  special: "no regular file",
  description: "description",
} as const;

const byCodeUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Every file below `folder`, as paths relative to it with `/`. What nobody means is left out, folders as one. */
async function walk(folder: string, relative = ""): Promise<LocalFiles> {
  const found: LocalFiles = { files: [], leftOut: [] };
  for (const entry of await readdir(path.join(folder, relative), { withFileTypes: true })) {
    const name = relative === "" ? entry.name : `${relative}/${entry.name}`;
    const unwanted = unwantedName(entry.name);
    if (unwanted !== undefined) found.leftOut.push({ reason: reasons[unwanted], name });
    else if (entry.isDirectory()) {
      const below = await walk(folder, name);
      append(found.files, below.files);
      append(found.leftOut, below.leftOut);
    } else found.files.push(name);
  }
  return found;
}

/** Why a path that is there cannot be a data file; undefined if it can. @throws {DataError} for a git-annex link. */
async function obstacle(file: string): Promise<string | undefined> {
  const info = await stat(file).catch(() => null);
  if (info?.isFile()) return formatOf(file) === null ? unreadableKind(file) : undefined;
  if (info?.isDirectory()) return reasons.folderLink;
  if (info !== null) return reasons.special;
  const target = await readlink(file).catch(() => "");
  if (/annex[\\/]objects[\\/]/.test(target)) {
    throw new DataError(`${file}: a link of git-annex to content that is not here: git annex get fetches it`);
  }
  return reasons.link;
}

/** Of `candidates`, those that can be read; README and the like only where there are no files of rows beside them. */
async function choose(source: string, candidates: readonly string[], leftOut: LeftOut[]): Promise<LocalFiles> {
  const readable: string[] = [];
  const rest = [...leftOut];
  for (const file of candidates) {
    const reason = await obstacle(file);
    if (reason === undefined) readable.push(file);
    else rest.push({ reason, name: file });
  }
  const data = readable.filter((file) => !isDescription(path.basename(file)));
  const descriptions = readable.filter((file) => isDescription(path.basename(file)));
  const hasRows = data.some((file) => formatOf(file)!.format !== "text");
  const unreadable = rest.filter(({ reason }) => reason.startsWith("."));
  if (data.length === 0 && descriptions.length > 0 && unreadable.length > 0) {
    const names = descriptions.map((file) => path.basename(file)).join(", ");
    throw new DataError(
      `${source}: only ${names} can be read here, and not ${leftOutText(unreadable)}; name ${descriptions[0]} itself if it is meant`,
    );
  }
  if (!hasRows) return { files: readable.sort(byCodeUnits), leftOut: rest };
  for (const name of descriptions) rest.push({ reason: reasons.description, name });
  return { files: data.sort(byCodeUnits), leftOut: rest };
}

/** @param beside also there, but left out on purpose: no part of a series that is missing */
function checkShards(source: string, files: readonly string[], beside: readonly string[] = []): void {
  const slashed = (names: readonly string[]) => names.map((name) => name.replaceAll(path.sep, "/"));
  const incomplete = new Set(missingShards(slashed(files)).map(({ series }) => series));
  const all = [...new Set([...files, ...beside])];
  const first = missingShards(slashed(all)).find(({ series }) => incomplete.has(series));
  if (first === undefined) return;
  throw new DataError(`${source}: ${missingShardsText(first)}; to read a part, name its files one by one`);
}

/** Parts of the path that a pattern does not name and nobody means. */
function unwantedPart(pattern: string, file: string): keyof typeof reasons | undefined {
  const named = new Set(pattern.split("/"));
  return file
    .split(path.sep)
    .filter((part) => !named.has(part))
    .map((part) => (part.startsWith(".") ? undefined : unwantedName(part)))
    .find((reason) => reason !== undefined);
}

async function filesOfGlob(pattern: string): Promise<LocalFiles> {
  const leftOut: LeftOut[] = [];
  const wanted = (await expandGlob(pattern)).filter((name) => {
    const reason = unwantedPart(pattern, name);
    if (reason !== undefined) leftOut.push({ reason: reasons[reason], name });
    return reason === undefined;
  });
  const chosen = await choose(pattern, wanted, leftOut);
  if (chosen.files.length === 0) {
    const why =
      chosen.leftOut.length === 0 ? "" : `; it matches ${leftOutText(chosen.leftOut)} (readable: ${readableKinds})`;
    throw new DataError(`${pattern}: no readable file matches${why}`);
  }
  const folders = [...new Set(chosen.files.map((file) => path.dirname(file)))];
  const beside = folders.map(async (folder) => (await readdir(folder)).map((name) => path.join(folder, name)));
  checkShards(pattern, chosen.files, (await Promise.all(beside)).flat());
  return chosen;
}

/**
 * The files of `source`; null if it is no path that is there and no pattern.
 * @throws {DataError} if nothing in it can be read, or shards of it are missing.
 */
export async function findLocalFiles(source: string): Promise<LocalFiles | null> {
  const info = await stat(source).catch(() => null);
  if (info?.isDirectory()) {
    const found = await walk(source);
    const chosen = await choose(
      source,
      found.files.map((file) => path.join(source, file)),
      found.leftOut.map(({ reason, name }) => ({ reason, name: path.join(source, name) })),
    );
    if (chosen.files.length === 0) {
      const why = chosen.leftOut.length === 0 ? "" : `: it has ${leftOutText(chosen.leftOut)}`;
      throw new DataError(`${source}: no readable file in this folder${why} (readable: ${readableKinds})`);
    }
    checkShards(source, chosen.files);
    return chosen;
  }
  if (info) {
    if (formatOf(source) !== null) return { files: [source], leftOut: [] };
    throw new DataError(`${source}: no readable kind of file: ${unreadableKind(source)} (readable: ${readableKinds})`);
  }
  if (await lstat(source).catch(() => null)) {
    await obstacle(source);
    throw new DataError(`${source}: a link to ${await readlink(source)}, which is not there`);
  }
  return isGlob(source) ? filesOfGlob(source) : null;
}

/** `2 hidden (.git, .x.txt), 1 .pdf`: how many for each reason, with a few names where the reason does not say it. */
export function leftOutText(leftOut: readonly LeftOut[]): string {
  const groups = new Map<string, string[]>();
  for (const { reason, name } of leftOut) groups.set(reason, [...(groups.get(reason) ?? []), path.basename(name)]);
  return Array.from(groups, ([reason, names]) => {
    const some = names.slice(0, 3).join(", ") + (names.length > 3 ? ", ..." : "");
    return `${names.length} ${reason}${reason.startsWith(".") ? "" : ` (${some})`}`;
  }).join(", ");
}
