/** The file tree of the README against the disk: every top-level folder and every room of `src`, and nothing else. */
import type { Violation } from "./rooms.ts";

const folderLine = /^( *)([\w.-]+)\/(?:\s|$)/;

/** Paths of the folders in the fenced block that begins with `bitnet-lab/`; null if there is none. */
export function treeFolders(readme: string): string[] | null {
  const block = /^```\w*\nbitnet-lab\/[^\n]*\n([\s\S]*?)^```/m.exec(readme);
  if (block === null) return null;
  const folders: string[] = [];
  const open: { indent: number; path: string }[] = [];
  for (const line of block[1].split("\n")) {
    const match = folderLine.exec(line);
    if (match === null) continue;
    const indent = match[1].length;
    while (open.length > 0 && open[open.length - 1].indent >= indent) open.pop();
    const parent = open.at(-1);
    const path = parent === undefined ? match[2] : `${parent.path}/${match[2]}`;
    open.push({ indent, path });
    folders.push(path);
  }
  return folders;
}

/** Folders that the tree must name: those at the top (but hidden ones), and the rooms of `src`. */
function expectedFolders(files: readonly string[]): Set<string> {
  const folders = new Set<string>();
  for (const file of files) {
    const parts = file.split("/");
    if (parts.length > 1 && !parts[0].startsWith(".")) folders.add(parts[0]);
    if (parts.length > 2 && parts[0] === "src") folders.add(`src/${parts[1]}`);
  }
  return folders;
}

/** @param files of the project, as paths from its root */
export function treeViolations(readme: string, files: readonly string[]): Violation[] {
  const named = treeFolders(readme);
  if (named === null)
    return [{ file: "README.md", rule: "has no file tree (a fenced block that begins with bitnet-lab/)" }];
  const missing = [...expectedFolders(files)].filter((folder) => !named.includes(folder));
  const absent = named.filter((folder) => !files.some((file) => file.startsWith(`${folder}/`)));
  return [
    ...missing.map((folder) => ({ file: "README.md", rule: `the file tree does not name ${folder}/` })),
    ...absent.map((folder) => ({ file: "README.md", rule: `the file tree names ${folder}/, which is not there` })),
  ];
}
