/** Which configurations may go on with the run in a folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { formatRunConfig, parseRunConfig } from "../../training/config/load_run_config.ts";
import { parseOverride } from "../../training/config/overrides.ts";
import { matchRun } from "../../training/match_run.ts";
import { RunDirectory } from "../../training/run_directory.ts";

const text = `
model: {hidden_size: 256, num_hidden_layers: 1, intermediate_size: 256, num_attention_heads: 4}
data: {sources: [text.txt]}
tokenizer: {type: byte}
training: {max_steps: 10, batch_size: 2, sequence_length: 16}
`;
const folder = mkdtempSync(path.join(tmpdir(), "bitnet-match-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function configOf(quantizer: string) {
  return parseRunConfig(text, "my.yaml", [parseOverride(`model.weight_quantizer=${quantizer}`)]);
}

/** A run in a folder of that name. */
function runOf(name: string, quantizer: string): RunDirectory {
  const directory = new RunDirectory(path.join(folder, name));
  mkdirSync(directory.path, { recursive: true });
  writeFileSync(directory.configFile, formatRunConfig(configOf(quantizer)));
  return directory;
}

describe("a run of groups that were multiplied as values", () => {
  const run = () => runOf("values", "{type: absmean_ternary_group, group_size: 64, product: values}");

  it("goes on with values where the recipe does not say what multiplies, and says so", () => {
    const { config, remarks } = matchRun(configOf("{type: absmean_ternary_group, group_size: 64}"), run());
    expect(config.model.weight_quantizer).toMatchObject({ product: "values" });
    expect(remarks).toEqual(["model.weight_quantizer: the run keeps its product: values"]);
  });

  it("does not go on with other groups", () => {
    expect(() => matchRun(configOf("{type: absmean_ternary_group, group_size: 128}"), run())).toThrow(
      /group_size \(64/,
    );
  });

  it("of a new one keeps integers", () => {
    const quantizer = "{type: absmean_ternary_group, group_size: 64}";
    const { config, remarks } = matchRun(configOf(quantizer), runOf("integers", quantizer));
    expect(config.model.weight_quantizer).toMatchObject({ product: "integers" });
    expect(remarks).toEqual([]);
  });
});
