/**
 * `npm run docs:configuration`: writes docs/configuration.md from the schemas of a run's configuration, so that every
 * key stands there with its type, default and meaning. With --check it only reports whether the page is up to date.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { alternatives, sectionsAt, typeOf } from "../src/config/schema_tree.ts";
import { runConfigSchema } from "../training/config/run_config.ts";
import { table } from "./pages/blocks.ts";

const introduction = `# Configuration

What a YAML file of \`--config\` and each \`--set section.key=value\` of \`bitnet-train\` can say. A key that is not here
is an error that names the nearest one; a run writes its resolved configuration to \`config.yaml\`. Sections of several
types have the keys of the \`type\` that they name, and a name alone (\`schedule: wsd\`) takes its defaults;
\`--set schedule.type=wsd\` leaves the keys of the recipe's type behind.

Written by \`npm run docs:configuration\` from the schemas: change the descriptions there.`;

/** Layers of a schema from outside to inside: defaults, optional and preprocessing around what they stand for. */
function* layers(schema: z.ZodType): Generator<z.ZodType> {
  yield schema;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    yield* layers(schema.def.innerType as z.ZodType);
  }
}

function descriptionOf(schema: z.ZodType): string {
  for (const layer of layers(schema)) if (layer.description !== undefined) return layer.description;
  return "";
}

const code = (value: unknown) => `\`${typeof value === "string" && value !== "" ? value : JSON.stringify(value)}\``;

function defaultText(schema: z.ZodType): string {
  for (const layer of layers(schema)) {
    if (layer instanceof z.ZodDefault) return code(layer.def.defaultValue);
    if (layer instanceof z.ZodPrefault) {
      return isTyped(schema) ? code((layer.parse(undefined) as { type: string }).type) : "";
    }
    if (layer instanceof z.ZodOptional) return "unset";
  }
  return "required";
}

/** "whole number, at least 1": JSON Schema knows the bounds. */
function numberText(schema: z.ZodNumber): string {
  const { type, minimum, exclusiveMinimum, maximum, exclusiveMaximum } = z.toJSONSchema(schema);
  const isSafeLimit = (limit: number) => Math.abs(limit) === Number.MAX_SAFE_INTEGER;
  const bound = (text: string, limit?: number | boolean) =>
    typeof limit !== "number" || isSafeLimit(limit) ? [] : [`${text} ${limit}`];
  return [
    type === "integer" ? "whole number" : "number",
    ...bound("at least", minimum),
    ...bound("more than", exclusiveMinimum),
    ...bound("at most", maximum),
    ...bound("less than", exclusiveMaximum),
  ].join(", ");
}

/** True for a section whose `type` says which keys it has. */
function isTyped(schema: z.ZodType): boolean {
  return alternatives(schema).every((each) => each instanceof z.ZodObject && typeOf(each) !== undefined);
}

function typeText(schema: z.ZodType): string {
  if (isTyped(schema)) {
    return `section of type ${sectionsAt(schema, [])
      .map((each) => code(typeOf(each)))
      .join(", ")}`;
  }
  const texts = alternatives(schema).map((each) => {
    if (each instanceof z.ZodNumber) return numberText(each);
    if (each instanceof z.ZodEnum) return each.options.map(code).join(", ");
    if (each instanceof z.ZodLiteral) return Array.from(each.values, code).join(", ");
    if (each instanceof z.ZodBoolean) return "`true`, `false`";
    if (each instanceof z.ZodString) return "text";
    if (each instanceof z.ZodArray) return "list of texts";
    if (each instanceof z.ZodObject) return "section";
    throw new Error(`no words for a schema of type ${each.def.type}`);
  });
  return [...new Set(texts)].join("; ");
}

/** Of the keys of a section, and of the sections below it. `type` has its line in the heading. */
function keysText(name: string, section: z.ZodObject): string[] {
  const entries = Object.entries(section.shape as Record<string, z.ZodType>);
  const rows = entries
    .filter(([, schema]) => !(schema instanceof z.ZodLiteral))
    .map(([key, schema]) => [code(key), typeText(schema), defaultText(schema), descriptionOf(schema)]);
  const inner = entries.flatMap(([key, schema]) =>
    sectionsAt(schema, []).length > 0 ? typesText(`${name}.${key}`, schema) : [],
  );
  return [...(rows.length > 0 ? [table(["key", "type", "default", "meaning"], rows)] : []), ...inner];
}

/** A heading and a table for a section below another one, or for each of its types that has options. */
function typesText(name: string, schema: z.ZodType): string[] {
  return sectionsAt(schema, []).flatMap((section) => {
    const keys = keysText(name, section);
    if (keys.length === 0) return [];
    const type = typeOf(section);
    if (type === undefined) return [`### \`${name}\``, descriptionOf(schema), ...keys];
    return [`### \`${name}.type: ${type}\``, descriptionOf(section.shape.type as z.ZodType), ...keys];
  });
}

function sectionText(name: string, schema: z.ZodType): string[] {
  const sections = sectionsAt(schema, []);
  const heading = [`## \`${name}\``, descriptionOf(schema)];
  if (sections.length === 0)
    return [...heading, `Of no section: ${typeText(schema)}; by default ${defaultText(schema)}.`];
  if (sections.length === 1) return [...heading, ...keysText(name, sections[0])];
  const types = sections.map((section) => code(typeOf(section))).join(", ");
  const { type } = runConfigSchema.shape[name as "optimizer"].parse({}) as { type: string };
  return [...heading, `\`type\` is one of ${types}; by default ${code(type)}.`, ...typesText(name, schema)];
}

/** The whole page. */
export function configurationPage(): string {
  const sections = Object.entries(runConfigSchema.shape).flatMap(([name, schema]) => sectionText(name, schema));
  return `${[introduction, ...sections].filter((text) => text !== "").join("\n\n")}\n`;
}

/** Where it lies. */
export const configurationFile = path.join(path.dirname(fileURLToPath(import.meta.url)), "../docs/configuration.md");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = configurationPage();
  const before = existsSync(configurationFile) ? readFileSync(configurationFile, "utf8") : "";
  const isCheck = process.argv.includes("--check");
  if (before !== page && !isCheck) writeFileSync(configurationFile, page);
  console.log(
    before === page
      ? "docs/configuration.md is up to date"
      : `docs/configuration.md ${isCheck ? "differs" : "written"}`,
  );
  if (isCheck && before !== page) process.exitCode = 1;
}
