/**
 * `npm run docs`: draws the house of docs/architecture.md and its table of rooms from the imports that are there. With
 * --check it only reports whether they are up to date.
 */
import path from "node:path";
import { type Blocks, table, updatePages } from "./blocks.ts";
import { floorsOf, type Room, readRooms } from "./rooms.ts";

const root = path.join(import.meta.dirname, "../..");
const page = "docs/architecture.md";
/** Columns of the drawing: a phone shows about 60. */
const width = 56;

const shortName = (room: string) => room.replace(/^src\//, "");

/** Rooms by floor, the lowest first. */
function byFloor(rooms: readonly Room[]): string[][] {
  const floors: string[][] = [];
  for (const [room, floor] of floorsOf(rooms)) {
    floors[floor] ??= [];
    floors[floor].push(shortName(room));
  }
  return floors.map((names) => names.sort());
}

function centred(text: string): string {
  const left = Math.floor((width - text.length) / 2);
  return " ".repeat(left) + text + " ".repeat(width - text.length - left);
}

/** A floor as lines of at most `width` columns. */
function floorLines(names: readonly string[]): string[] {
  const lines = [""];
  for (const name of names) {
    const longer = lines.at(-1) === "" ? name : `${lines.at(-1)}    ${name}`;
    if (longer.length > width) lines.push(name);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

/** The house: a box for each floor, the highest on top. */
export function drawHouse(rooms: readonly Room[]): string {
  const floors = byFloor(rooms);
  const slope = width / 2;
  const roof = [`     ${" ".repeat(slope - 12)}experiments  notebooks  test`, `    ${"_".repeat(width + 2)}`];
  const walls = floors.flatMap((names, floor) => {
    const lines = floorLines(names).map(
      (line, i) => `${i === 0 ? String(floor).padStart(2) : "  "} |${centred(line)}|`,
    );
    return [lines];
  });
  const line = `   +${"-".repeat(width)}+`;
  return [
    "```",
    ...roof.map((text) => text.trimEnd()),
    ...walls.reverse().flatMap((lines) => [...lines, line]),
    "```",
  ].join("\n");
}

/** A line for each room, the lowest floor first. */
export function roomTable(rooms: readonly Room[]): string {
  const floors = floorsOf(rooms);
  const sorted = rooms.toSorted((a, b) => floors.get(a.path)! - floors.get(b.path)!);
  const rows = sorted.map(({ path: name, description, imports }) => [
    floors.get(name)!,
    `\`${name}/\``,
    description,
    imports.map(shortName).join(", "),
  ]);
  return table(["floor", "room", "what it is", "imports"], rows);
}

const blocks: Blocks = { house: () => drawHouse(readRooms(root)), rooms: () => roomTable(readRooms(root)) };

/** The pages that are not as the imports are; without `isCheck` they are written. */
export const updateArchitecture = (isCheck: boolean): string[] => updatePages(root, [page], blocks, isCheck);

if (import.meta.filename === process.argv[1]) {
  const isCheck = process.argv.includes("--check");
  const changed = updateArchitecture(isCheck);
  if (isCheck && changed.length > 0) {
    console.error(`${page} does not match the imports: run \`npm run docs\``);
    process.exitCode = 1;
  }
}
