/**
 * Scaling laws: how the loss falls with parameters N and tokens D.
 *
 *     L(N) = E + A / N^alpha                       Kaplan et al. 2020, arXiv:2001.08361
 *     L(N, D) = E + A / N^alpha + B / D^beta       Hoffmann et al. 2022, arXiv:2203.15556, equation 2
 *
 * Fitted by Levenberg and Marquardt (ml-levenberg-marquardt) over the logarithms of E, A and B, which keeps them above 0 and
 * of one size, from a grid of starts as Hoffmann et al. do; least squares rather than their Huber loss, for a sweep has no
 * outliers. The intervals are of a bootstrap over the runs; they hold where the law does, and say nothing of other sizes.
 */
import { levenbergMarquardt } from "ml-levenberg-marquardt";
import { UserError } from "../errors/user_error.ts";
import { percentileInterval, resampled } from "./bootstrap.ts";
import type { Interval } from "./sample.ts";

/** A run. */
export interface ScalingPoint {
  parameters: number;
  tokens: number;
  /** Nats per token. */
  loss: number;
}

export interface ScalingLaw {
  /** What no size removes, nats per token. */
  E: number;
  A: number;
  alpha: number;
  /** Of L(N, D) only. */
  B?: number;
  beta?: number;
}

export interface ScalingFit {
  law: ScalingLaw;
  intervals: Record<string, Interval>;
  /** Root of the mean squared residual, nats. */
  residual: number;
  points: readonly ScalingPoint[];
}

/** The points are too few for the law. */
export class ScalingError extends UserError {
  override name = "ScalingError";
}

type Shape = "N" | "ND";

/** E, A and B are above 0 for all parameters: they stand there as their logarithms. */
function lawOf([e, a, alpha, b, beta]: readonly number[]): ScalingLaw {
  const law = { E: Math.exp(e), A: Math.exp(a), alpha };
  return b === undefined ? law : { ...law, B: Math.exp(b), beta };
}

/** The loss that the law foresees. */
export function lossOf({ E, A, alpha, B = 0, beta = 0 }: ScalingLaw, parameters: number, tokens: number): number {
  return E + A * parameters ** -alpha + B * tokens ** -beta;
}

function residualOf(law: ScalingLaw, points: readonly ScalingPoint[]): number {
  const squares = points.reduce(
    (sum, { parameters, tokens, loss }) => sum + (lossOf(law, parameters, tokens) - loss) ** 2,
    0,
  );
  return Math.sqrt(squares / points.length);
}

/** Parameters of the best fit from one start; null if it runs away. */
function refine(points: readonly ScalingPoint[], start: readonly number[]): number[] | null {
  // The optimizer knows one x: that of a point is its place, and the sizes are looked up.
  const data = { x: points.map((_, i) => i), y: points.map(({ loss }) => loss) };
  const model = (values: number[]) => (i: number) => lossOf(lawOf(values), points[i].parameters, points[i].tokens);
  const jacobian = (values: number[]) => (i: number) => {
    const { E, A, alpha, B, beta } = lawOf(values);
    const { parameters, tokens } = points[i];
    const size = A * parameters ** -alpha;
    const first = [E, size, -size * Math.log(parameters)];
    if (B === undefined || beta === undefined) return first;
    const data = B * tokens ** -beta;
    return [...first, data, -data * Math.log(tokens)];
  };
  try {
    const { parameterValues } = levenbergMarquardt(data, model, {
      initialValues: start,
      damping: 1e-3,
      maxIterations: 300,
      errorTolerance: 1e-12,
      improvementThreshold: 1e-9,
      jacobianFunction: jacobian,
    });
    return parameterValues.every(Number.isFinite) ? parameterValues : null;
  } catch {
    // A singular step: this start leads nowhere.
    return null;
  }
}

/** Starts around the losses that were seen: the floor at shares of the lowest, usual exponents. */
function starts(points: readonly ScalingPoint[], shape: Shape): number[][] {
  const lowest = points.reduce((least, { loss }) => Math.min(least, loss), Infinity);
  const [first] = points;
  const results: number[][] = [];
  for (const floor of [0.3, 0.6, 0.9]) {
    const rest = Math.max(1e-3, first.loss - floor * lowest);
    for (const alpha of [0.1, 0.3, 0.6, 1]) {
      const size = [Math.log(floor * lowest), Math.log(rest) + alpha * Math.log(first.parameters), alpha];
      if (shape === "N") results.push(size);
      else
        for (const beta of [0.1, 0.3, 0.6])
          results.push([...size, Math.log(rest / 2) + beta * Math.log(first.tokens), beta]);
    }
  }
  return results;
}

function bestFit(points: readonly ScalingPoint[], from: readonly number[][]): number[] | null {
  const fits = from.flatMap((start) => {
    const values = refine(points, start);
    return values === null ? [] : [{ values, residual: residualOf(lawOf(values), points) }];
  });
  return fits.sort((a, b) => a.residual - b.residual)[0]?.values ?? null;
}

const distinct = (values: readonly unknown[]) => new Set(values).size;

/** Why the runs are too few for the law; null if they are not. */
function lackOf(points: readonly ScalingPoint[], shape: Shape): string | null {
  const sizes = distinct(points.map(({ parameters }) => parameters));
  if (sizes < 3) return `a law of the size needs runs of 3 sizes, there are ${sizes}`;
  if (shape === "N") return null;
  const lengths = distinct(points.map(({ tokens }) => tokens));
  if (lengths < 3) return `L(N, D) needs runs of 3 numbers of tokens, there are ${lengths}`;
  const pairs = distinct(points.map(({ parameters, tokens }) => `${parameters} ${tokens}`));
  return pairs < 6 ? `L(N, D) needs 6 combinations of size and tokens, there are ${pairs}` : null;
}

/**
 * L(N) where all runs have equal tokens, else L(N, D).
 * @throws {ScalingError} if the runs are too few, or no start leads to a fit.
 */
export function fitScaling(
  points: readonly ScalingPoint[],
  { confidence = 0.95, resamples = 500, seed = 0 } = {},
): ScalingFit {
  const shape: Shape = distinct(points.map(({ tokens }) => tokens)) > 1 ? "ND" : "N";
  const lack = lackOf(points, shape);
  if (lack !== null) throw new ScalingError(lack);
  const values = bestFit(points, starts(points, shape));
  if (values === null) throw new ScalingError("no scaling law fits these runs");
  const law = lawOf(values);
  const names = Object.keys(law) as (keyof ScalingLaw)[];
  const fitted: ScalingLaw[] = [];
  for (const sample of resampled(points, { resamples, seed })) {
    const again = lackOf(sample, shape) === null ? refine(sample, values) : null;
    if (again !== null) fitted.push(lawOf(again));
  }
  const interval = (name: keyof ScalingLaw): Interval =>
    percentileInterval(Float64Array.from(fitted, (each) => each[name]!).sort(), confidence);
  return {
    law,
    intervals: Object.fromEntries(names.map((name) => [name, interval(name)])),
    residual: residualOf(law, points),
    points,
  };
}
