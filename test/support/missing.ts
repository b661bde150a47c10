/** The title of tests that are skipped where something is missing: says what, and only where it is. */
export function titleUnless(isMissing: boolean, what: string, title: string): string {
  return isMissing ? `${title} (skipped: ${what} is missing)` : title;
}
