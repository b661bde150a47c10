/** The least recipe, and what is wrong with one. */
import { expect } from "vitest";
import { parseRunConfig } from "../../../training/config/load_run_config.ts";
import { parseOverride } from "../../../training/config/overrides.ts";
import { RunConfigError } from "../../../training/config/run_config_error.ts";

export const leastRecipe = `model:
  hidden_size: 256
  num_hidden_layers: 1
  intermediate_size: 256
  num_attention_heads: 4
training:
  max_steps: 10
`;

/** Lines of the error of `yaml` with these overrides; none if there is no error. */
export function problems(yaml: string, ...sets: string[]): string[] {
  try {
    parseRunConfig(yaml, "my.yaml", sets.map(parseOverride));
  } catch (error) {
    expect(error).toBeInstanceOf(RunConfigError);
    return (error as Error).message.split("\n");
  }
  return [];
}
