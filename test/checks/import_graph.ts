/** Import circles, and what is loaded with a file. */
import type { Violation } from "./rooms.ts";
import type { Import } from "./source_files.ts";

function byFile(imports: readonly Import[]): Map<string, Import[]> {
  const groups = new Map<string, Import[]>();
  for (const found of imports) groups.set(found.file, [...(groups.get(found.file) ?? []), found]);
  return groups;
}

/** One violation for each import that closes a circle (types count: a circle of types is a circle of ideas). */
export function importCircles(imports: readonly Import[]): Violation[] {
  const next = byFile(imports.filter(({ isPackage }) => !isPackage));
  const state = new Map<string, "open" | "done">();
  const path: string[] = [];
  const circles: Violation[] = [];
  const visit = (file: string) => {
    state.set(file, "open");
    path.push(file);
    for (const { imported } of next.get(file) ?? []) {
      if (state.get(imported) === "open") {
        const circle = [...path.slice(path.indexOf(imported)), imported];
        circles.push({ file, rule: `closes an import circle: ${circle.join(" -> ")}` });
      } else if (!state.has(imported)) visit(imported);
    }
    path.pop();
    state.set(file, "done");
  };
  for (const file of next.keys()) if (!state.has(file)) visit(file);
  return circles;
}

/** The way from `entry` to a package that `isForbidden` names, over imports that run when `entry` is loaded; or null. */
export function loadedPackage(
  imports: readonly Import[],
  entry: string,
  isForbidden: (packageName: string) => boolean,
): string[] | null {
  const loaded = byFile(imports.filter(({ isType, isDynamic }) => !isType && !isDynamic));
  const ways = new Map([[entry, [entry]]]);
  // A Map is walked in the order of insertion, new entries included: breadth first.
  for (const [file, way] of ways) {
    for (const { imported, isPackage } of loaded.get(file) ?? []) {
      if (isPackage && isForbidden(imported)) return [...way, imported];
      if (!isPackage && !ways.has(imported)) ways.set(imported, [...way, imported]);
    }
  }
  return null;
}
