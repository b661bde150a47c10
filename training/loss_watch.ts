/** Notices a run that learns nothing: its loss stays above that of guessing, which is ln(vocabulary). */

/** Steps that a run is given to get below, and of which the mean is taken. */
const patience = 50;
const window = 10;

export interface WatchedRun {
  vocabSize: number;
  maxSteps: number;
  warmupSteps: number;
  learningRate: number;
}

/**
 * Hears the loss of each step. Once, after the warm-up and {@link patience} steps (a quarter of a shorter run, but at
 * least {@link window}), or earlier where the loss grows far beyond, it returns a line for people.
 */
export function watchLoss({ vocabSize, maxSteps, warmupSteps, learningRate }: WatchedRun) {
  const guessing = Math.log(vocabSize);
  const allowed = Math.max(window, Math.min(patience, Math.ceil(maxSteps / 4)));
  const recent: number[] = [];
  let seen = 0;
  let isSettled = false;
  return (step: number, loss: number): string | null => {
    if (isSettled) return null;
    seen++;
    recent.push(loss);
    if (recent.length > window) recent.shift();
    const mean = recent.reduce((a, b) => a + b) / recent.length;
    if (seen < allowed) return null;
    const isFar = mean > 1.1 * guessing;
    if (!isFar && step < warmupSteps + allowed) return null;
    isSettled = true;
    if (mean <= guessing) return null;
    return (
      `after ${step} steps the loss is ${mean.toFixed(2)}, more than by guessing (${guessing.toFixed(2)}, ln ${vocabSize}): ` +
      `the model learns nothing; optimizer.learning_rate (${learningRate}) may be too high`
    );
  };
}
