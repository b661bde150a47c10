/** A line chart in text, for terminals and logs. */

/**
 * @param series values over equally spaced x (non-finite ones are left out); resampled to `width` columns by mean.
 * @returns lines: `height` rows with the value of the row on the left, then the x axis.
 */
export function terminalPlot(
  series: readonly number[],
  options: { width?: number; height?: number; xLabel: string },
): string[] {
  const { width = 64, height = 12, xLabel } = options;
  const columns = Array.from({ length: Math.min(width, series.length) }, (_, c) => {
    const n = Math.min(width, series.length);
    const part = series
      .slice(Math.floor((c * series.length) / n), Math.floor(((c + 1) * series.length) / n))
      .filter(Number.isFinite);
    return part.length ? part.reduce((a, b) => a + b) / part.length : Number.NaN;
  });
  const finite = columns.filter(Number.isFinite);
  if (finite.length === 0) return ["(nothing to plot)"];
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low || 1;
  const rowOf = (value: number) => Math.round(((value - low) / span) * (height - 1));
  const lines = Array.from({ length: height }, (_, i) => {
    const row = height - 1 - i;
    const label = (low + (span * row) / (height - 1)).toFixed(2).padStart(7);
    return `${label} |${columns.map((value) => (Number.isFinite(value) && rowOf(value) === row ? "*" : " ")).join("")}`;
  });
  return [...lines, `${" ".repeat(8)}+${"-".repeat(columns.length)}`, `${" ".repeat(9)}${xLabel}`];
}
