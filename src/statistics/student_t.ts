/** Student's t distribution (jstat), to the last digits that float64 holds of it. */
import jstat from "jstat";

const { studentt, noncentralt } = jstat.jStat;

/** P(T <= t) with so many degrees of freedom. */
function tCdf(t: number, degrees: number): number {
  return studentt.cdf(t, degrees);
}

/** t with P(T <= t) = p, 0 < p < 1. */
export function tQuantile(p: number, degrees: number): number {
  const near = studentt.inv(p, degrees);
  // jstat's inverse has eight digits; a Newton step doubles them.
  return near - (studentt.cdf(near, degrees) - p) / studentt.pdf(near, degrees);
}

/** Two-sided p-value of a t statistic. */
export function tProbability(t: number, degrees: number): number {
  return 2 * tCdf(-Math.abs(t), degrees);
}

/** P(T > t) of the noncentral distribution. */
export function noncentralTail(t: number, degrees: number, noncentrality: number): number {
  return 1 - noncentralt.cdf(t, degrees, noncentrality);
}
