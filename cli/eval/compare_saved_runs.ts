/** `bitnet-eval --compare a.json b.json`: prints how two saved runs differ. */
import { compareRuns, comparisonLines, readSavedRun } from "../../src/eval/index.ts";
import { UsageError } from "../command.ts";

/** @throws {UsageError} unless two files are given, {DataError} if they cannot be compared. */
export async function compareSavedRuns(files: readonly string[]): Promise<void> {
  if (files.length !== 2) throw new UsageError(`--compare needs two results files, not ${files.length}`);
  const [a, b] = [await readSavedRun(files[0]), await readSavedRun(files[1])];
  for (const line of comparisonLines(a, b, compareRuns(a, b))) console.log(line);
}
