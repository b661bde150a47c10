/** The pages of the project: links lead somewhere, commands and paths exist, generated parts are up to date. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { CommandDefinition } from "../../cli/command.ts";
import { updateArchitecture } from "../../experiments/pages/architecture.ts";
import { updateTables } from "../../experiments/readme_tables.ts";

const root = path.join(import.meta.dirname, "../..");
const pages = ["README.md", "CONTRIBUTING.md", ...readdirSync(path.join(root, "docs")).map((name) => `docs/${name}`)];
const textOf = (page: string) => readFileSync(path.join(root, page), "utf8");
const packageJson = JSON.parse(textOf("package.json")) as {
  scripts: Record<string, string>;
  bin: Record<string, string>;
};

/** What GitHub makes of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (text: string) => Array.from(text.matchAll(/^#+ (.+)$/gm), (match) => anchorOf(match[1]!));

/** Relative targets of links and pictures. */
const linksOf = (text: string) =>
  Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), (match) => match[1]!).filter((link) => !/^[a-z]+:/.test(link));

/** What commands write, which pages name as examples. */
const writtenFolders = ["runs"];

/** Paths in code spans that begin with a top-level folder of ours; patterns and placeholders are none. */
function pathsOf(text: string): string[] {
  const folders = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !writtenFolders.includes(entry.name),
  );
  const spans = Array.from(text.matchAll(/`([^`\n]+)`/g), (match) => match[1]!);
  return spans.filter(
    (span) => folders.some(({ name }) => span.startsWith(`${name}/`)) && !/[\s*<>{}$]|\.\.\.|NAME/.test(span),
  );
}

/** `npx bitnet-train --config x` and `bitnet-train --config x`, as far as the line goes. */
function commandLines(text: string): { command: string; flags: string[] }[] {
  return Array.from(
    text.matchAll(/\b(bitnet-(?:train|export|eval|generate|chat|serve|bench|inspect|report|sweep))\b([^`\n#|]*)/g),
    (match) => ({
      command: match[1]!,
      flags: Array.from(match[2]!.matchAll(/--([a-z][a-z0-9_-]*)/g), (flag) => flag[1]!),
    }),
  );
}

describe.each(pages)("%s", (page) => {
  const text = textOf(page);

  it("links to what is there", () => {
    const dead = linksOf(text).filter((link) => {
      const [file, anchor] = link.split("#") as [string, string?];
      const target = file === "" ? page : path.posix.join(path.posix.dirname(page), file);
      if (!existsSync(path.join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor);
    });
    expect(dead).toEqual([]);
  });

  it("names files and folders that are there", () => {
    expect(pathsOf(text).filter((name) => !existsSync(path.join(root, name)))).toEqual([]);
  });

  it("calls scripts that package.json has", () => {
    const scripts = Array.from(text.matchAll(/\bnpm run ([a-z:-]+)/g), (match) => match[1]!);
    expect(scripts.filter((name) => !(name in packageJson.scripts))).toEqual([]);
  });

  it("calls commands with flags that they have", async () => {
    for (const { command, flags } of commandLines(text)) {
      const file = path.join(root, "cli", `${command.replaceAll("-", "_")}.ts`);
      const definition = ((await import(file)) as { command: CommandDefinition<never> }).command;
      const options = Object.entries<{ type?: string }>(definition.options);
      const negated = options.flatMap(([name, { type }]) => (type === "boolean" ? [`no-${name}`] : []));
      const known = [...options.map(([name]) => name), ...negated, "help", "version"];
      expect(
        flags.filter((flag) => !known.includes(flag)),
        command,
      ).toEqual([]);
    }
  });

  it("keeps to 120 columns outside tables and code", () => {
    const prose = text.replaceAll(/^```[\s\S]*?^```|<!-- begin[\s\S]*?<!-- end.*$|^ {4}.*$|^\|.*$/gm, "");
    expect(prose.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });
});

describe("generated parts", () => {
  it("are those of the results (npm run readme)", () => {
    expect(updateTables(true)).toEqual([]);
  });

  it("are those of the imports (npm run docs)", () => {
    expect(updateArchitecture(true)).toEqual([]);
  });
});
