/** The rooms of the house as they are: what the README's file tree says of each, and whom it imports. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { readImports, sourceFiles } from "../../test/checks/source_files.ts";

export interface Room {
  /** `src/quant`, `training`. */
  path: string;
  /** What it is, from the file tree of the README. */
  description: string;
  /** Paths of the rooms that its files import, sorted. */
  imports: string[];
}

const treeLine = /^( +)([\w.-]+)\/ +(\S.*)$/;

/** Path and description of each folder in the file tree (a fenced block that begins with `bitnet-lab/`). */
export function describedFolders(readme: string): Map<string, string> {
  const block = /^```\nbitnet-lab\/\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? "";
  const folders = new Map<string, string>();
  const open: { indent: number; path: string }[] = [];
  for (const line of block.split("\n")) {
    const match = treeLine.exec(line);
    if (match === null) continue;
    const [indent, name, description] = [match[1]!.length, match[2]!, match[3]!];
    while (open.length > 0 && open.at(-1)!.indent >= indent) open.pop();
    const parent = open.at(-1);
    const folder = parent === undefined ? name : `${parent.path}/${name}`;
    open.push({ indent, path: folder });
    folders.set(folder, description);
  }
  return folders;
}

/** The room of a file (paths from the root, with "/"): its top-level folder, in `src` the one below. */
function roomOf(file: string): string {
  const [top, below] = file.split("/");
  return top === "src" ? `src/${below}` : top!;
}

/** Folders that are no rooms, and the roofs of the work on the house, which may import one another. */
const noRooms = ["src", "docs", "experiments", "notebooks", "test"];

/** Rooms of `src`, and the top-level folders with TypeScript in them, in the order of the file tree. */
export function readRooms(root: string): Room[] {
  const folders = describedFolders(readFileSync(path.join(root, "README.md"), "utf8"));
  const names = [...folders.keys()].filter((folder) => !noRooms.includes(folder));
  const arrows = new Map(names.map((name) => [name, new Set<string>()]));
  for (const { file, imported, isPackage } of readImports(root, sourceFiles(root))) {
    const [from, to] = [roomOf(file), roomOf(imported)];
    if (!isPackage && from !== to && arrows.has(to)) arrows.get(from)?.add(to);
  }
  return names.map((name) => ({
    path: name,
    description: folders.get(name)!,
    imports: [...arrows.get(name)!].sort(),
  }));
}

/**
 * The floor of each room: one above the highest that it imports, 0 if it imports none.
 * @throws {Error} naming a circle.
 */
export function floorsOf(rooms: readonly Room[]): Map<string, number> {
  const byPath = new Map(rooms.map((room) => [room.path, room]));
  const floors = new Map<string, number>();
  const floorOf = (name: string, way: readonly string[]): number => {
    if (way.includes(name)) throw new Error(`rooms import one another: ${[...way, name].join(" -> ")}`);
    const known = floors.get(name);
    if (known !== undefined) return known;
    const below = byPath.get(name)!.imports.map((imported) => floorOf(imported, [...way, name]));
    const floor = below.length === 0 ? 0 : 1 + Math.max(...below);
    floors.set(name, floor);
    return floor;
  };
  for (const room of rooms) floorOf(room.path, []);
  return floors;
}
