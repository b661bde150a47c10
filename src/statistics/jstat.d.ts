/** The distributions that are used of jstat, which has no types of its own. */
declare module "jstat" {
  interface Distribution {
    pdf(x: number, ...parameters: number[]): number;
    cdf(x: number, ...parameters: number[]): number;
  }
  export const jStat: {
    studentt: Distribution & { inv(p: number, degrees: number): number };
    noncentralt: Distribution;
  };
}
