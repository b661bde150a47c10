/** A file is compared with what the source's config.json says, not with how the export has read it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { exportModel, verifyMeaning } from "../../../export/export_model.ts";
import { planExport } from "../../../export/export_plan.ts";
import { targetNames } from "../../../export/targets/targets.ts";
import { readerOf, smallConfig, smallParameters, smallTokenizer } from "../small_model.ts";

const folder = mkdtempSync(path.join(tmpdir(), "bitnet-stated-"));
afterAll(() => rmSync(folder, { recursive: true }));

const resaved = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, "../../golden/checkpoint/resaved_by_transformers.json"), "utf8"),
);

test.each(targetNames)("%s: another base than that of the source is found", async (target) => {
  const keys = { num_key_value_heads: 4, hidden_act: target === "llama.cpp" ? "silu" : "relu2" } as const;
  const source = { directory: "resaved", configJson: { ...resaved, vocab_size: 300, hidden_act: keys.hidden_act } };
  const out = path.join(folder, target);
  const write = async (ropeTheta: number) => {
    const config = { ...smallConfig(keys), ropeTheta };
    const plan = planExport(config, smallTokenizer(), { target });
    await exportModel(plan, out, readerOf(smallParameters(config)));
    return plan;
  };
  const compared = await verifyMeaning(await write(10000), out, source);
  expect(compared).toEqual(expect.arrayContaining(["rope_theta", "rms_norm_eps", "head_dim", "bitnet layers"]));
  await expect(verifyMeaning(await write(500000), out, source)).rejects.toThrow(
    "rope_theta: 500000 in the file, 10000 by the checkpoint itself",
  );
});
