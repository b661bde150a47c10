/** "Did you mean": the valid name nearest to a mistyped one, by Levenshtein distance, if it is near. */

/** Number of single-character insertions, deletions and replacements that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[j] + 1, current[j - 1] + 1));
    }
    previous = current;
  }
  return previous[b.length];
}

const plain = (text: string) => text.toLowerCase().replaceAll("-", "_");

/** Distance that a typing mistake may have: a third of the longer name, and a name cut short is near what it begins. */
function isNear(name: string, candidate: string, distance: number): boolean {
  const [short, long] = name.length < candidate.length ? [name, candidate] : [candidate, name];
  return distance <= Math.ceil(long.length / 3) || (short.length >= 3 && long.startsWith(short));
}

/**
 * The candidate nearest to `name`, ignoring case and the difference of `-` and `_`; the first one on a tie. `undefined`
 * if none is near: what is far from all is no typing mistake, and a guess would mislead.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  const written = plain(name);
  for (const candidate of candidates) {
    const distance = editDistance(written, plain(candidate));
    if (distance < least && isNear(written, plain(candidate), distance)) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** `; the nearest is max_steps`, to follow "unknown ..."; empty if none is near. */
export function nearestHint(name: string, candidates: Iterable<string>, prefix = ""): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? "" : `; the nearest is ${prefix}${nearest}`;
}
