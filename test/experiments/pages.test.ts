import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { drawHouse, roomTable } from "../../experiments/pages/architecture.ts";
import { updatePages, withBlocks } from "../../experiments/pages/blocks.ts";
import { describedFolders, floorsOf } from "../../experiments/pages/rooms.ts";

const folder = mkdtempSync(path.join(tmpdir(), "pages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = "# T\n<!-- begin:a -->\nold $& text\n<!-- end:a -->\nbetween\n<!-- begin:b -->\n<!-- end:b -->\n";

describe("blocks of a page", () => {
  it("are drawn anew, the rest stays", () => {
    expect(withBlocks(page, { a: () => "new $1", b: () => "2" })).toBe(
      "# T\n<!-- begin:a -->\nnew $1\n<!-- end:a -->\nbetween\n<!-- begin:b -->\n2\n<!-- end:b -->\n",
    );
  });

  it("stay as they are where there is nothing to draw them from", () => {
    expect(withBlocks(page, { a: () => null })).toBe(page);
  });

  it("must end", () => {
    expect(() => withBlocks("<!-- begin:a -->\nx", { a: () => "y" })).toThrow("begin:a --> has no end");
  });

  it("must be on a page, and a check writes nothing", () => {
    const file = path.join(folder, "page.md");
    writeFileSync(file, page);
    expect(() => updatePages(folder, ["page.md"], { c: () => "" }, true)).toThrow("no page has the block c");
    expect(updatePages(folder, ["page.md"], { a: () => "new" }, true)).toEqual(["page.md"]);
    expect(readFileSync(file, "utf8")).toBe(page);
    expect(updatePages(folder, ["page.md"], { a: () => "new" }, false)).toEqual(["page.md"]);
    expect(updatePages(folder, ["page.md"], { a: () => "new" }, true)).toEqual([]);
  });
});

describe("the house", () => {
  const room = (name: string, ...imports: string[]) => ({ path: name, description: `${name}'s use`, imports });
  const rooms = [room("training", "src/ops", "src/quant"), room("src/ops", "src/quant"), room("src/quant")];

  it("takes rooms and what they are from the file tree", () => {
    const readme =
      "text\n```\nbitnet-lab/\n  src/       shared\n    quant/   formats\n  training/  text to checkpoint\n```\n";
    expect([...describedFolders(readme)]).toEqual([
      ["src", "shared"],
      ["src/quant", "formats"],
      ["training", "text to checkpoint"],
    ]);
  });

  it("puts each room one floor above the highest that it imports", () => {
    expect(Object.fromEntries(floorsOf(rooms))).toEqual({ "src/quant": 0, "src/ops": 1, training: 2 });
    expect(roomTable(rooms).split("\n").at(-1)).toBe("| 2 | `training/` | training's use | ops, quant |");
    const names = drawHouse(rooms).match(/^ ?\d \| +(\w+) +\|$/gm);
    expect(names?.map((line) => line.replace(/[ |]+/g, " ").trim())).toEqual(["2 training", "1 ops", "0 quant"]);
  });

  it("says which rooms import one another", () => {
    expect(() => floorsOf([room("a", "b"), room("b", "a")])).toThrow("rooms import one another: a -> b -> a");
  });
});
