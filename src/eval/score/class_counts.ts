/** Scores of predicted against true classes, from how often each class is there, is predicted, and is both. */

export interface ClassCounts {
  /** Documents of each class. */
  gold: Uint32Array;
  /** Documents that each class was predicted for. */
  predicted: Uint32Array;
  /** Documents of each class whose prediction is right. */
  hits: Uint32Array;
  documents: number;
}

/** Counts pairs of class indices; `gold[i]` and `predicted[i]` belong together, `chosen` lists the i to count. */
export function countClasses(
  classes: number,
  gold: Uint32Array,
  predicted: Uint32Array,
  chosen: Iterable<number>,
): ClassCounts {
  const counts = {
    gold: new Uint32Array(classes),
    predicted: new Uint32Array(classes),
    hits: new Uint32Array(classes),
    documents: 0,
  };
  for (const i of chosen) {
    counts.gold[gold[i]]++;
    counts.predicted[predicted[i]]++;
    if (gold[i] === predicted[i]) counts.hits[gold[i]]++;
    counts.documents++;
  }
  return counts;
}

/** F1 of the class `positive`, 2 TP / (2 TP + FP + FN); 0 where it neither is there nor was predicted. */
export function f1Score({ gold, predicted, hits }: ClassCounts, positive: number): number {
  const count = gold[positive] + predicted[positive];
  return count > 0 ? (2 * hits[positive]) / count : 0;
}

/** Matthews' correlation coefficient of any number of classes (Gorodkin 2004, as scikit-learn has it); 0 where it is undefined. */
export function matthewsCorrelation({ gold, predicted, hits, documents }: ClassCounts): number {
  let [right, both, golds, predictions] = [0, 0, 0, 0];
  for (let k = 0; k < gold.length; k++) {
    right += hits[k];
    both += gold[k] * predicted[k];
    golds += gold[k] ** 2;
    predictions += predicted[k] ** 2;
  }
  const spread = (documents ** 2 - golds) * (documents ** 2 - predictions);
  return spread === 0 ? 0 : (right * documents - both) / Math.sqrt(spread);
}
