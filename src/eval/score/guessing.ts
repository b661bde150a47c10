/**
 * Can a number of right answers be told from guessing? The number that guessing gets right is Poisson-binomial: each
 * question has its own probability, 1 over its number of choices. Exact for any number of questions.
 */

/** Probabilities of at least, and of at most, `right` right guesses. */
export interface Tails {
  atLeast: number;
  atMost: number;
}

/** Standard deviations from the mean beyond which the probability is below 1e-40. */
const reach = 14;

/** @param chances of guessing each question right */
export function guessingTails(chances: readonly number[], right: number): Tails {
  const n = chances.length;
  const spread = Math.sqrt(chances.reduce((sum, p) => sum + p * (1 - p), 0));
  const width = Math.ceil(reach * spread) + 60;
  const mass = new Float64Array(n + 2);
  mass[0] = 1;
  let mean = 0;
  for (let i = 0; i < n; i++) {
    const p = chances[i];
    mean += p;
    // What is further from the mean than can matter stays 0.
    const [low, high] = [Math.max(0, Math.floor(mean) - width), Math.min(i + 1, Math.ceil(mean) + width)];
    for (let k = high; k >= low; k--) mass[k] = mass[k] * (1 - p) + (k > 0 ? mass[k - 1] * p : 0);
    if (low > 0) mass[low - 1] = 0;
  }
  let [atLeast, atMost] = [0, 0];
  for (let k = n; k >= right; k--) atLeast += mass[k];
  for (let k = 0; k <= right && k <= n; k++) atMost += mass[k];
  return { atLeast: Math.min(1, atLeast), atMost: Math.min(1, atMost) };
}

/**
 * Hoeffding's bound (1963) on the probability that a mean of independent values between 0 and 1 is so far from its
 * expectation, on one side.
 * @param weights of the values in the mean
 */
export function hoeffdingBound(distance: number, weights: readonly number[]): number {
  return Math.exp((-2 * distance ** 2) / weights.reduce((sum, weight) => sum + weight ** 2, 0));
}
