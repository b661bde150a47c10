/** `bitnet-report`: runs, or a sweep, as one HTML page; see `--help`. */
import { defineCommand } from "./command.ts";

export const command = defineCommand({
  name: "bitnet-report",
  summary: "Writes a page that shows and compares runs, or a sweep: curves, weights, telemetry, samples, settings.",
  positionals: ["RUN | SWEEP"],
  furtherPositionals: "RUN",
  options: {
    out: {
      type: "string",
      alias: "o",
      description: "the page; default report.html, in the folder of the run or sweep if there is only one",
    },
    png: {
      type: "boolean",
      default: true,
      description: "write the figures as PNGs, too, into a folder beside the page",
    },
    weights: {
      type: "boolean",
      default: true,
      description: "look into the newest checkpoint: codes, scales, latent weights",
    },
  },
  examples: [
    ["$0 runs/small", "runs/small/report.html, and its figures in runs/small/report_figures"],
    ["$0 runs/ternary runs/float --out both.html", "two runs on the same axes, and how their settings differ"],
    ["$0 sweeps/rate", "arms, paired differences with their intervals, curves, what was tuned"],
    ["$0 runs/2b --no-weights --no-png", "the page alone, without reading the checkpoint"],
  ],
  epilogue: "A run may still be going on: what is written is shown. The page is one file and needs no network.",
  async run(options, { positionals }) {
    const { reportOn } = await import("./report/report_on.ts");
    for (const line of await reportOn(positionals, options)) console.log(line);
  },
});
