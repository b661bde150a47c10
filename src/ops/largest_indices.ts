/** The few largest of many values. */

/** Indices of the `count` largest values, largest first; of equal ones those with the smaller indices. */
export function largestIndices(values: ArrayLike<number>, count: number): number[] {
  const largest: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (largest.length === count && !(values[i] > values[largest[count - 1]])) continue;
    let place = largest.length;
    while (place > 0 && values[i] > values[largest[place - 1]]) place--;
    largest.splice(place, 0, i);
    if (largest.length > count) largest.pop();
  }
  return largest;
}
