/** Names of arms that say what they are, and that every file system takes. */
/** A key of the recipe and its value. */
export interface Assignment {
  key: string;
  value: unknown;
}

/** What is known of an arm before it has its own name. */
export interface NamelessArm {
  /** As the file of the sweep has it. */
  name?: string;
  assignments: readonly Assignment[];
  /** What it is to answer; see comparisons.ts. */
  question?: string;
  /** Arm that it is compared with, if not with the sweep's. */
  baseline?: string;
}

/** What a sweep compares: changes of a recipe. */
export interface Arm extends NamelessArm {
  name: string;
}

/** What has no name: the recipe as it is. */
const nameless = "base";

/** `learning_rate=0.002`, `weight_quantizer=row_absmean`; a section by its type and its other values. */
function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  if (Array.isArray(value)) return value.map(valueText).join("_");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.values(value).map(valueText).join("_");
}

/** Ends of the key paths that tell them apart. */
function shortKeys(keys: readonly string[]): Map<string, string> {
  const ends = (key: string, parts: number) => key.split(".").slice(-parts).join(".");
  const short = (key: string) => {
    for (let parts = 1; ; parts++) {
      const end = ends(key, parts);
      if (end === key || keys.every((other) => other === key || ends(other, parts) !== end)) return end;
    }
  };
  return new Map(keys.map((key) => [key, short(key)]));
}

/** Characters of an arm's name: a run's has a seed and perhaps a value behind it, and file systems take 255 bytes. */
const longest = 160;

/** A name as arms have it: letters, digits and what else every file system takes. */
export const armName = (text: string): string => text.replace(/[^\w.=+,-]+/g, "_").slice(0, longest);

/** An arm that was given a name keeps it; what tells it from others of that name is added. */
export function nameArms(arms: readonly NamelessArm[]): Arm[] {
  const differs = (key: string, among: readonly NamelessArm[]) => {
    const texts = among.map(({ assignments }) =>
      JSON.stringify(assignments.findLast((each) => each.key === key)?.value),
    );
    return new Set(texts).size > 1;
  };
  const keys = shortKeys([...new Set(arms.flatMap(({ assignments }) => assignments.map(({ key }) => key)))]);
  const names = arms.map(({ name, assignments }) => {
    const alike = arms.filter((other) => other.name === name);
    const varied = new Map(assignments.filter(({ key }) => differs(key, alike)).map(({ key, value }) => [key, value]));
    const told = [...varied].map(([key, value]) => `${keys.get(key)}=${valueText(value)}`);
    return armName([...(name === undefined ? [] : [name]), ...told].join(",") || nameless);
  });
  return arms.map((arm, i) => {
    const twins = names.slice(0, i).filter((name) => name === names[i]).length;
    return { ...arm, name: twins === 0 ? names[i] : `${names[i]}.${twins + 1}` };
  });
}
