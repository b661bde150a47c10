/** Bars of the scores, one below the other, so that long names and narrow windows have room. */

import { escapeHtml } from "../../../report/markup.ts";
import { colourOf } from "../../../report/style.ts";
import type { Score } from "../../aggregate.ts";
import { summaryEntries } from "../../group_scores.ts";
import { type EvaluatedModel, mainScore } from "../model_comparison.ts";

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

/** Only shares of 1 have a common axis; perplexities are in the table. */
function isShare({ scores }: BarGroup): boolean {
  return scores.every((score) => score === undefined || (score.higherIsBetter && score.value <= 1));
}

const percent = (share: number) => `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;

export function scoreText({ value, standardError }: Score): string {
  return value.toFixed(4) + (standardError === null ? "" : ` ± ${standardError.toFixed(4)}`);
}

function bar(score: Score | undefined, chance: number | null, model: number): string {
  if (score === undefined) return "";
  const { value, standardError: error } = score;
  const ends = error === null ? null : [Math.max(0, value - error), Math.min(1, value + error)];
  const whisker =
    ends && `<div class="error" style="left:${percent(ends[0])};width:${percent(ends[1] - ends[0])}"></div>`;
  const guess = chance === null ? "" : `<div class="chance" style="left:${percent(chance)}"></div>`;
  return (
    `<div class="row"><div class="track"><div class="bar" style="width:${percent(value)};background:${colourOf(model)}"></div>` +
    `${whisker ?? ""}${guess}</div><b>${scoreText(score)}</b></div>`
  );
}

/** Bars from 0 to 1 with a line of one standard error, and a dashed one where guessing would be; "" if no score is a share. */
export function scoreBars(models: readonly EvaluatedModel[]): string {
  const shares = barGroups(models).filter(isShare);
  return shares
    .map(({ name, metric, chance, scores }) => {
      const guess = chance === null ? "" : ` <span class="faint">guessing ${chance.toFixed(4)}</span>`;
      const bars = scores.map((score, model) => bar(score, chance, model));
      return `<div class="task">${escapeHtml(name)} <span class="faint">${escapeHtml(metric)}</span>${guess}${bars.join("")}</div>`;
    })
    .join("\n");
}
