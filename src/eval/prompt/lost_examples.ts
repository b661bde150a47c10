/** How many of the examples in a prompt are not there, or not whole, after it was cut from the left. */

/**
 * @param prompt as it was before
 * @param questions of the examples, in the prompt's order
 * @param kept tokens of the prompt that are left
 */
export function lostExamples(
  prompt: string,
  questions: readonly string[],
  kept: number,
  countTokens: (text: string) => number,
): number {
  let [at, lost] = [0, 0];
  for (const question of questions) {
    const begin = prompt.indexOf(question, at);
    // A chat template may have changed it.
    if (begin < 0) continue;
    if (countTokens(prompt.slice(begin)) <= kept) break;
    lost++;
    at = begin + question.length;
  }
  return lost;
}
