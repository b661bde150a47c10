/** Where generated text ends. */

/** `text` before the stop strings; they are tried one after the other, as lm-evaluation-harness does. */
export function truncateAtStop(text: string, until: readonly string[]): string {
  let kept = text;
  for (const stop of until) {
    const at = stop === "" ? -1 : kept.indexOf(stop);
    if (at >= 0) kept = kept.slice(0, at);
  }
  return kept;
}

/** True as soon as `text` contains one of the stop strings: nothing that follows can change what is kept. */
export function containsStop(text: string, until: readonly string[]): boolean {
  return until.some((stop) => stop !== "" && text.includes(stop));
}
