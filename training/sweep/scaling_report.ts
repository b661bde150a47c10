/**
 * Scaling laws of a sweep over sizes (and tokens): one for each kind of weights, so ternary beside float. The sizes are those of
 * the matrices of the layers, without embedding, head and norms, as in Kaplan et al. (2020).
 */
import { resolveModelConfig } from "../../src/config/model_config.ts";
import { weightQuantizerOf } from "../../src/config/model_quantizers.ts";
import { modelParameters, parameterSize } from "../../src/model/parameters.ts";
import type { Figure } from "../../src/report/figures/figure.ts";
import { lineChart, type Series } from "../../src/report/figures/line_chart.ts";
import { fitScaling, lossOf, type ScalingFit, type ScalingPoint } from "../../src/statistics/scaling.ts";
import type { RunResult, SweepResults } from "./sweep_results.ts";

export interface NamedFit extends ScalingFit {
  /** `float`, or the weight quantizer. */
  name: string;
}

function pointOf({ config, tokens, value }: RunResult): { name: string; point: ScalingPoint } | null {
  if (config === null || value === null) return null;
  const model = resolveModelConfig(config.model);
  const matrices = modelParameters(model).filter(({ kind }) => kind === "matrix");
  const parameters = matrices.reduce((sum, spec) => sum + parameterSize(spec), 0);
  return { name: weightQuantizerOf(model)?.name ?? "float", point: { parameters, tokens, loss: value } };
}

/** @throws {ScalingError} if a kind of weights has too few sizes */
export function scalingFits({ runs, sweep }: SweepResults): NamedFit[] {
  const groups = new Map<string, ScalingPoint[]>();
  for (const run of runs) {
    const found = run.stage === "final" && run.status === "finished" ? pointOf(run) : null;
    if (found !== null) groups.set(found.name, [...(groups.get(found.name) ?? []), found.point]);
  }
  const { confidence } = sweep.decision;
  return [...groups].map(([name, points]) => ({ name, ...fitScaling(points, { confidence }) }));
}

/** `L = 1.69 + 406 / N^0.34`, then each number with its interval. */
export function scalingLines({ name, law, intervals, residual, points }: NamedFit): string[] {
  const short = (value: number) => String(Number(value.toPrecision(4)));
  const tokens = law.B === undefined ? "" : ` + ${short(law.B)} / D^${short(law.beta!)}`;
  const each = Object.entries(intervals).map(
    ([key, { low, high }]) => `${key} ${short(law[key as keyof typeof law]!)} (${short(low)} to ${short(high)})`,
  );
  return [
    `${name}: L = ${short(law.E)} + ${short(law.A)} / N^${short(law.alpha)}${tokens}`,
    `${each.join(", ")}; ${points.length} runs, residual ${residual.toFixed(4)}`,
  ];
}

/** Points of a curve. */
const steps = 60;

/** Loss over sizes: dots are runs, lines the laws at each number of tokens. */
export function scalingFigure(fits: readonly NamedFit[], metric: string): Figure | null {
  const series = fits.flatMap(({ name, law, points }, colour) => {
    const lengths = [...new Set(points.map(({ tokens }) => tokens))].sort((a, b) => a - b);
    return lengths.flatMap((tokens): Series[] => {
      const own = points.filter((point) => point.tokens === tokens).sort((a, b) => a.parameters - b.parameters);
      const [low, high] = [own[0].parameters, own[own.length - 1].parameters];
      const sizes = Array.from({ length: steps + 1 }, (_, i) => low * (high / low) ** (i / steps));
      const label = lengths.length > 1 ? `${name}, ${tokens.toLocaleString("en")} tokens` : name;
      return [
        { label, colour, points: sizes.map((size) => ({ x: size, y: lossOf(law, size, tokens) })) },
        ...own.map(({ parameters, loss }) => ({
          label,
          colour,
          thin: true,
          dots: true,
          points: [{ x: parameters, y: loss }],
        })),
      ];
    });
  });
  const x = { label: "parameters of the layers' matrices", log: true };
  return lineChart({ title: "Scaling", x, y: { label: metric }, series, hasLegend: true });
}
