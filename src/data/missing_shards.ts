/** Files that say by their names that others belong to them: `train-00000-of-00002.parquet` is half a data set. */

/** Name before the number, the number, how many there are, and what follows (a hash, as the Hub once had, and endings). */
const shardPattern = /^(.*?)(\d+)-of-(\d+)(?:-[0-9a-f]{8,})?((?:\.[^/]*)?)$/;

/** Shards of models are counted from one, those of data sets from zero. */
const firstNumber = (ending: string) => (/^\.(?:safetensors|gguf)$/.test(ending) ? 1 : 0);

export interface MissingShards {
  /** As the files are named, with `*` for the number: `data/train-*-of-00002.parquet`. */
  series: string;
  /** Files that there should be. */
  total: number;
  /** Names of those that are not there, in order; a hash in the names of the others is not part of them. */
  missing: string[];
}

/**
 * The series that have a part among `files` (paths with `/`, of which all that there are must be given) but not all
 * parts; compressed and plain endings are series of their own.
 */
export function missingShards(files: readonly string[]): MissingShards[] {
  const series = new Map<string, { prefix: string; of: string; ending: string; width: number; present: Set<number> }>();
  for (const file of files) {
    const [, prefix, number, of, ending] = shardPattern.exec(file) ?? [];
    if (prefix === undefined || Number(number) - firstNumber(ending) >= Number(of)) continue;
    const key = JSON.stringify([prefix, of, ending]);
    const known = series.get(key) ?? { prefix, of, ending, width: number.length, present: new Set<number>() };
    known.present.add(Number(number));
    series.set(key, known);
  }
  return [...series.values()].flatMap(({ prefix, of, ending, width, present }): MissingShards[] => {
    const total = Number(of);
    if (present.size === total) return [];
    const name = (number: string) => `${prefix}${number}-of-${of}${ending}`;
    const missing: string[] = [];
    const first = firstNumber(ending);
    for (let i = first; i < first + total; i++) if (!present.has(i)) missing.push(name(String(i).padStart(width, "0")));
    return [{ series: name("*"), total, missing }];
  });
}

/** `2 of 3 shards of train-*-of-00003.parquet are missing: train-00001-of-00003.parquet, ...`, the first few by name. */
export function missingShardsText({ series, total, missing }: MissingShards): string {
  const names = missing.slice(0, 3).join(", ") + (missing.length > 3 ? ", ..." : "");
  return `${missing.length} of ${total} shards of ${series} ${missing.length === 1 ? "is" : "are"} missing: ${names}`;
}
