/**
 * One HTML file with everything in it: bars of the scores with one standard error, a dashed line where guessing would be (a
 * group stands for its tasks), and all numbers in a table. No script, nothing from the network.
 */
import type { Score } from "../aggregate.ts";
import { type ScoredEntry, summaryEntries } from "../group_scores.ts";
import { type EvaluatedModel, mainScore, shortNames } from "./model_comparison.ts";

const colours = ["#2f6db5", "#d9822b", "#3a9a5c", "#8a4fa3", "#b5433f", "#5f6b76"];
const barWidth = 26;
const groupGap = 34;
const plotHeight = 240;
const margin = { right: 12, top: 12 };
/** Of a character at 12 px, on average; labels are turned by 30 degrees. */
const characterWidth = 7.5;
const slope = { x: Math.cos(Math.PI / 6), y: Math.sin(Math.PI / 6) };

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (character) => escapes[character]);

/** A task's or group's bar of each model. */
interface BarGroup {
  name: string;
  metric: string;
  chance: number | null;
  scores: (Score | undefined)[];
}

function barGroups(models: readonly EvaluatedModel[]): BarGroup[] {
  const entries = models.map(({ results, groups }) => summaryEntries(results, groups));
  return entries[0].map(({ name, chance }, i) => {
    const scores = entries.map((ofModel) => mainScore(ofModel[i].scores));
    return { name, metric: scores[0]?.metric ?? "", chance, scores };
  });
}

/** Groups, then tasks. */
function allEntries({ results, groups }: EvaluatedModel): ScoredEntry[] {
  return [
    ...groups.map(({ group, scores, chance }) => ({ name: group.name, scores, chance })),
    ...results.map(({ task, scores, chance }) => ({ name: task.name, scores, chance })),
  ];
}

/** Only shares of 1 have a common axis; perplexities are in the table. */
function isShare({ scores }: BarGroup): boolean {
  return scores.every((score) => score === undefined || (score.higherIsBetter && score.value <= 1));
}

const y = (share: number) => margin.top + plotHeight * (1 - share);

function bar(score: Score, x: number, colour: string, title: string): string {
  const error = score.standardError ?? 0;
  const middle = x + barWidth / 2;
  const whisker =
    error > 0
      ? `<path d="M${middle} ${y(Math.min(1, score.value + error))}V${y(Math.max(0, score.value - error))}" stroke="#222"/>`
      : "";
  return (
    `<rect x="${x}" y="${y(score.value)}" width="${barWidth - 4}" height="${plotHeight * score.value}" fill="${colour}">` +
    `<title>${escapeHtml(title)}</title></rect>${whisker}`
  );
}

function chart(shown: readonly BarGroup[], names: readonly string[]): string {
  const groupWidth = names.length * barWidth + groupGap;
  const labels = shown.map(({ name, metric }) => `${name} (${metric})`);
  const below = labels.map((label) => label.length * characterWidth);
  // Room for the labels, which end below the middle of their group.
  const begin = Math.max(44, ...below.map((length, g) => length * slope.x - (g + 0.5) * groupWidth));
  const width = begin + margin.right + shown.length * groupWidth;
  const height = margin.top + plotHeight + 24 + Math.max(...below) * slope.y;
  const right = width - margin.right;
  const parts = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<path d="M${begin} ${y(share)}H${right}" stroke="#ddd"/>` +
      `<text x="${begin - 6}" y="${y(share) + 4}" text-anchor="end">${share}</text>`,
  );
  shown.forEach((group, g) => {
    const left = begin + g * groupWidth + groupGap / 2;
    const middle = left + (names.length * barWidth) / 2;
    group.scores.forEach((score, m) => {
      if (score === undefined) return;
      const title = `${names[m]}, ${group.name}: ${score.value.toFixed(4)} ± ${score.standardError?.toFixed(4) ?? "N/A"}`;
      parts.push(bar(score, left + m * barWidth, colours[m % colours.length], title));
    });
    if (group.chance !== null) {
      const line = `M${left - 6} ${y(group.chance)}h${names.length * barWidth + 8}`;
      parts.push(
        `<path class="chance" d="${line}" stroke="#000" stroke-dasharray="4 3"><title>chance ${group.chance.toFixed(4)}</title></path>`,
      );
    }
    parts.push(
      `<text x="${middle}" y="${y(0) + 14}" text-anchor="end" transform="rotate(-30 ${middle} ${y(0) + 14})">${escapeHtml(labels[g])}</text>`,
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-size="12" font-family="sans-serif">${parts.join("")}</svg>`;
}

function table(models: readonly EvaluatedModel[], names: readonly string[]): string {
  const head = ["Task", "Metric", "Filter", "Chance", ...names].map((name) => `<th>${escapeHtml(name)}</th>`).join("");
  const entries = models.map(allEntries);
  const rows = entries[0].flatMap(({ name, scores, chance }, i) =>
    scores.map(({ metric, filter, higherIsBetter }) => {
      const values = entries.map((ofModel) => {
        const score = ofModel[i].scores.find((other) => other.metric === metric && other.filter === filter);
        if (score === undefined) return "";
        return `${score.value.toFixed(4)} ± ${score.standardError?.toFixed(4) ?? "N/A"}`;
      });
      const guess = chance !== null && metric.startsWith("acc") ? chance.toFixed(4) : "";
      const cells = [name, `${metric} ${higherIsBetter ? "↑" : "↓"}`, filter, guess, ...values];
      return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
    }),
  );
  return `<table><tr>${head}</tr>\n${rows.join("\n")}</table>`;
}

const style =
  "body{font:15px/1.4 system-ui,sans-serif;margin:2em;color:#222}svg{max-width:100%;height:auto}" +
  "table{border-collapse:collapse}" +
  "td,th{border:1px solid #ccc;padding:.2em .6em;text-align:right}td:first-child,th:first-child{text-align:left}" +
  "i{display:inline-block;width:.8em;height:.8em;margin-right:.3em}pre{overflow-x:auto}";

/**
 * @param notes lines below the chart, as they are printed
 * @param date milliseconds since 1970
 */
export function htmlReport(models: readonly EvaluatedModel[], notes: readonly string[], date: number): string {
  const names = shortNames(models.map(({ name }) => name));
  const shares = barGroups(models).filter(isShare);
  const legend = names.map((name, i) => `<i style="background:${colours[i % colours.length]}"></i>${escapeHtml(name)}`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>bitnet-eval: ${escapeHtml(names.join(", "))}</title>
<style>${style}</style></head><body>
<h1>bitnet-eval</h1>
<p>${new Date(date).toISOString().slice(0, 10)}. Bars: score and one standard error; dashed: what guessing scores.</p>
<p>${legend.join(" &nbsp; ")}</p>
${shares.length > 0 ? chart(shares, names) : ""}
${table(models, names)}
<pre>${notes.map(escapeHtml).join("\n")}</pre>
</body></html>
`;
}
