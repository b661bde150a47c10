/** What holds for every command: package.json, a starter in cli/bin and a definition that can be imported. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { CommandDefinition } from "../../cli/command.ts";

const root = path.join(import.meta.dirname, "../..");
const bin: Record<string, string> = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).bin;
const fileOf = (name: string) => `${name.replaceAll("-", "_")}.ts`;

describe("commands", () => {
  it("are those of package.json, each with a starter and a definition", () => {
    const names = Object.keys(bin).sort();
    const starters = readdirSync(path.join(root, "cli/bin")).filter((file) => file.startsWith("bitnet-"));
    const definitions = readdirSync(path.join(root, "cli")).filter((file) => file.startsWith("bitnet_"));
    expect(starters.sort()).toEqual(names.map((name) => `${name}.mjs`));
    expect(definitions.sort()).toEqual(names.map(fileOf).sort());
    for (const name of names) expect(bin[name]).toBe(`cli/bin/${name}.mjs`);
  });

  it.each(Object.keys(bin))("%s runs nothing when it is imported, and describes itself", async (name) => {
    const { command }: { command: CommandDefinition<never> } = await import(path.join(root, "cli", fileOf(name)));
    expect(command.name).toBe(name);
    expect(command.summary).toMatch(/\.$/);
    expect(command.examples.length).toBeGreaterThan(1);
    for (const [flag, option] of Object.entries<{ describe?: string; description?: string }>(command.options)) {
      expect(option.describe ?? option.description, `--${flag}`).toBeTruthy();
    }
  });
});
