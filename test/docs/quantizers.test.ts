/** The page of quantizers says of each what the list and the packing rules say. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { fits, writableTypes } from "../../src/config/tensor_fit.ts";
import { makeWeightQuantizer, weightQuantizers } from "../../src/quantizers/registry.ts";

const page = readFileSync(path.join(import.meta.dirname, "../../docs/quantizers.md"), "utf8");
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| `") && !line.startsWith("| `weight_quantizer`"))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
const names = (cell: string) => Array.from(cell.split(";")[0].matchAll(/`([a-z0-9_]+)`/g), ([, name]) => name);
const formulas = rows.filter((cells) => cells.length === 6 && cells[3] !== "integers" && cells[3] !== "values");

describe.each(weightQuantizers.map(({ name }) => name))("%s", (name) => {
  it("stands in both tables, with the types that hold it", () => {
    const found = rows.filter((cells) => names(cells[1]).includes(name));
    expect(found).toHaveLength(2);
    const quantizer = makeWeightQuantizer(name, "f16");
    const held = writableTypes.filter((type) => fits(type, quantizer, [{ key: "width", size: 256 }]) === null);
    const [, , , product, types] = found[1];
    expect(types.split(/[:]|, rounded/)[0]).toBe(held.map((type) => type.name).join(", ") || "none");
    expect(product.split(",")[0]).toBe(quantizer && quantizer.product !== "values" ? "integers" : "values");
  });
});

it("names no quantizer that is not there", () => {
  const listed = weightQuantizers.map(({ name }) => name);
  expect(formulas.flatMap((cells) => names(cells[1])).filter((name) => !listed.includes(name))).toEqual([]);
});
