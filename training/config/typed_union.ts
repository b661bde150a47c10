/** Sections of several types: `type` says which keys they have. */
import { z } from "zod";

/** A strict object with a literal `type`. */
type MemberSchema = z.ZodObject<{ type: z.ZodLiteral<string> }>;

interface Definition {
  schema: MemberSchema;
}

type Schemas<Definitions extends readonly Definition[]> = {
  [Index in keyof Definitions]: Definitions[Index]["schema"];
};

/** Schema of a section that is one of the members; without `type`, the default one. A text is short for a `type` alone. */
export function typedUnion<const Definitions extends readonly [Definition, ...Definition[]]>(
  defaultType: Definitions[number]["schema"]["shape"]["type"]["value"],
  definitions: Definitions,
) {
  const schemas = definitions.map(({ schema }) => schema) as unknown as Schemas<Definitions>;
  const withType = (value: unknown) => {
    if (typeof value === "string") return { type: value };
    const isSection = typeof value === "object" && value !== null && !Array.isArray(value);
    return isSection && !("type" in value) ? { type: defaultType, ...value } : value;
  };
  return z.preprocess(withType, z.discriminatedUnion("type", schemas)).meta({ defaultType });
}

/** The member of that type. */
export function definitionOf<Member extends Definition>(definitions: readonly Member[], type: string): Member {
  return definitions.find(({ schema }) => schema.shape.type.value === type)!;
}
