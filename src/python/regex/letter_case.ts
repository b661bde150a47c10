/** Which characters Python's `re.IGNORECASE` takes for the same: those whose lower cases have the same upper case. */

/** The first character of its lower case, as `re` takes it. */
export function lowerOf(code: number): number {
  if (code < 128) return code >= 65 && code <= 90 ? code + 32 : code;
  return String.fromCodePoint(code).toLowerCase().codePointAt(0)!;
}

/** No letter with case comes after it. */
const lastCased = 0x1f000;

interface CaseTable {
  /** Characters by their lower case, itself included; only where there is another. */
  byLower: ReadonlyMap<number, readonly number[]>;
  /** Other lower cases with the same upper case. */
  others: ReadonlyMap<number, readonly number[]>;
}

let table: CaseTable | undefined;

function caseTable(): CaseTable {
  const byLower = new Map<number, number[]>();
  const byUpper = new Map<string, number[]>();
  const add = <Key>(map: Map<Key, number[]>, key: Key, code: number) => {
    const known = map.get(key);
    if (known) known.push(code);
    else map.set(key, [code]);
  };
  for (let code = 0; code < lastCased; code++) {
    const lower = lowerOf(code);
    if (lower !== code) {
      add(byLower, lower, code);
      continue;
    }
    const character = String.fromCodePoint(code);
    const upper = character.toUpperCase();
    if (upper !== character) add(byUpper, upper, code);
  }
  for (const [lower, codes] of byLower) codes.push(lower);
  const groups = [...byUpper.values()].filter((codes) => codes.length > 1);
  const others = new Map(
    groups.flatMap((codes) => codes.map((code) => [code, codes.filter((other) => other !== code)] as const)),
  );
  return { byLower, others };
}

/** Lower cases that are the same as the lower case `lower`. */
export function sameLowerCases(lower: number): readonly number[] {
  table ??= caseTable();
  return [lower, ...(table.others.get(lower) ?? [])];
}

/** All characters that are the same as `code`, itself included. */
export function sameCharacters(code: number): readonly number[] {
  table ??= caseTable();
  const { byLower } = table;
  return sameLowerCases(lowerOf(code)).flatMap((lower) => byLower.get(lower) ?? [lower]);
}
