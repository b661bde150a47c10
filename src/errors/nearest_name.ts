/** "Did you mean": the valid name nearest to a mistyped one, by Levenshtein distance. */

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

/**
 * The candidate nearest to `name`, ignoring case and the difference of `-` and `_`; the first one on a tie.
 * `undefined` only if there are no candidates.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(plain(name), plain(candidate));
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** The nearest candidate if at least half of its letters stay: what is far from all is no typing mistake. */
export function similarName(name: string, candidates: Iterable<string>): string | undefined {
  const nearest = nearestName(name, candidates);
  return nearest !== undefined && editDistance(plain(name), plain(nearest)) <= nearest.length / 2 ? nearest : undefined;
}
