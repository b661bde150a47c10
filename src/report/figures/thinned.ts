/** A curve of more points than a figure has pixels, without losing its peaks. */

/** Upright strips of this width keep their first, last, lowest and highest point. */
const strip = 1;

type Placed = readonly [x: number, y: number] | null;

/** Points by ascending x; those of a strip in their order. A line through them covers the same pixels. */
export function thinned(points: readonly Placed[]): Placed[] {
  if (points.length < 1000) return [...points];
  const kept: Placed[] = [];
  for (let begin = 0; begin < points.length; ) {
    const first = points[begin];
    if (first === null) {
      kept.push(null);
      begin++;
      continue;
    }
    let [end, low, high] = [begin, begin, begin];
    for (; end < points.length; end++) {
      const point = points[end];
      if (point === null || point[0] - first[0] >= strip) break;
      if (point[1] < points[low]![1]) low = end;
      if (point[1] > points[high]![1]) high = end;
    }
    const wanted = new Set([begin, low, high, end - 1]);
    for (const i of [...wanted].sort((a, b) => a - b)) kept.push(points[i]);
    begin = end;
  }
  return kept;
}
