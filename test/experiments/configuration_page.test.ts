import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { configurationFile, configurationPage } from "../../experiments/configuration_page.ts";
import { alternatives, keysOf, sectionsAt } from "../../src/config/schema_tree.ts";
import { runConfigSchema } from "../../training/config/run_config.ts";

it("docs/configuration.md is what the schemas say (npm run docs:configuration)", () => {
  expect(readFileSync(configurationFile, "utf8")).toBe(configurationPage());
});

it("every key has a meaning", () => {
  const page = configurationPage();
  for (const section of keysOf(sectionsAt(runConfigSchema, []))) {
    const sections = sectionsAt(runConfigSchema, [section]);
    const keys = keysOf(sections).filter((key) => key !== "type");
    if (sections.length === 0) expect(page).toMatch(new RegExp(`^## \`${section}\`\n\n\\S.+\n\nOf no section: `, "m"));
    else expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(page).toMatch(new RegExp(`^\\| \`${key}\` \\| .+ \\| .+ \\| \\S.+ \\|$`, "m"));
  }
  expect(page).not.toMatch(/\| {2}\|$/m);
  expect(alternatives(runConfigSchema)).toHaveLength(1);
});
