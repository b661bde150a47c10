/** `bitnet-sweep`: trains many variants of a recipe, and tells what can be told of their differences; see `--help`. */
import { defineCommand, UsageError } from "./command.ts";
import { sweepFlags } from "./sweep_flags.ts";

export const command = defineCommand({
  name: "bitnet-sweep",
  summary:
    "Trains every arm of a sweep with every seed, in processes of their own, and compares the arms in pairs of one seed.",
  furtherPositionals: "key=a,b,c | status DIR | report DIR",
  options: sweepFlags,
  examples: [
    ["$0 --base small.yaml --out sweeps/rate optimizer.learning_rate=1e-3,2e-3,4e-3", "a grid from the command line"],
    ["$0 --config sweep.yaml --base small.yaml --out sweeps/scales", "the arms and seeds of a file"],
    ["$0 --out sweeps/scales", "go on after Ctrl-C, a crash or a power cut"],
    ["$0 status sweeps/scales", "which runs are done"],
    ["$0 report sweeps/scales", "means, paired differences with their intervals, and a verdict for each arm"],
    ["$0 --config sweep.yaml --base small.yaml --out sweeps/scales --dry-run", "the runs, and how long they take"],
  ],
  epilogue:
    "A run that lies in DIR/runs already with the configuration that is wanted is used as it is. Ctrl-C lets every run " +
    "write a checkpoint and exits with code 130.",
  async run(flags, { signal, positionals: [first, ...others] }) {
    if (first !== "status" && first !== "report") {
      const { runSweepCommand } = await import("./sweep/run_command.ts");
      return runSweepCommand(flags, first === undefined ? [] : [first, ...others], signal);
    }
    if (others.length !== 1) throw new UsageError(`${first} takes one folder: bitnet-sweep ${first} DIR`);
    if (first === "status") return (await import("./sweep/status.ts")).showStatus(others[0]);
    await (await import("./sweep/report.ts")).showReport(others[0], flags.scaling);
  },
});
