/** What a schema's sections hold, behind defaults, preprocessing and unions: for error messages and documentation. */
import { z } from "zod";

/** What a value of `schema` may be: the members of its unions, without optional, defaults and preprocessing. */
export function alternatives(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return alternatives(schema.def.innerType as z.ZodType);
  }
  if (schema instanceof z.ZodPipe) {
    const { in: before, out } = schema.def;
    return alternatives((out instanceof z.ZodTransform ? before : out) as z.ZodType);
  }
  if (schema instanceof z.ZodUnion) return (schema.def.options as z.ZodType[]).flatMap(alternatives);
  return [schema];
}

/** Sections that the value at `path` may be: several where `type` decides. Empty if no section can be there. */
export function sectionsAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodObject[] {
  const sections = alternatives(schema).filter((each) => each instanceof z.ZodObject);
  if (path.length === 0) return sections;
  const [key, ...rest] = path;
  return sections.flatMap(({ shape }) => (Object.hasOwn(shape, key) ? sectionsAt(shape[key as string], rest) : []));
}

/** Keys of any of the sections, each once. */
export function keysOf(sections: readonly z.ZodObject[]): string[] {
  return [...new Set(sections.flatMap(({ shape }) => Object.keys(shape)))];
}

/** The word that `type` must be in a section; undefined for a section without types. */
export function typeOf({ shape }: z.ZodObject): string | undefined {
  const type: unknown = shape.type;
  return type instanceof z.ZodLiteral ? String(type.value) : undefined;
}
