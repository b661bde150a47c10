/** A packed folder whose config.json names the class whose scales mean the opposite. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { scaleMeaningRemark } from "../../cli/export_scale_meaning.ts";
import { exportModel, planExport } from "../../export/index.ts";
import { openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "../export/small_model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "scale-meaning-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function remark(linearClass: string) {
  const file = path.join(folder, "packed/config.json");
  const json = JSON.parse(readFileSync(file, "utf8"));
  json.quantization_config.linear_class = linearClass;
  writeFileSync(file, JSON.stringify(json));
  const checkpoint = await openCheckpoint(path.join(folder, "packed"));
  await checkpoint.tensors.close();
  return scaleMeaningRemark(checkpoint);
}

it("is told by the values", async () => {
  const config = smallConfig();
  const plan = planExport(config, smallTokenizer(), { target: "transformers" });
  await exportModel(plan, path.join(folder, "packed"), readerOf(smallParameters(config)));
  expect(await remark("autobitlinear")).toBeNull();
  expect(await remark("bitlinear")).toMatch(
    /^config\.json says linear_class bitlinear, whose weight_scale divides, and by the values it multiplies \(outputs of/,
  );
});
