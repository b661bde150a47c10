/** How the C++ checks compile: the flags and the small tools that run.mjs and machine_code.mjs share. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const checkDirectory = path.dirname(fileURLToPath(import.meta.url));
export const sourceDirectory = path.join(checkDirectory, "../cc");

/** Of every mode. */
export const baseFlags = [
  "-std=c++17",
  "-ffp-contract=off",
  "-fno-math-errno",
  "-fno-trapping-math",
  "-Wall",
  "-Wextra",
];

/**
 * With baseFlags: as the addon is compiled. GCC for AArch64 would otherwise move loads ahead before it gives out registers,
 * and run out of them; clang does not know the option and says so.
 */
export const plainFlags = ["-O3", "-fno-schedule-insns", "-Wno-ignored-optimization-argument"];

/** What is missing, or undefined if the command can be run. */
export function missingCommand(command) {
  return spawnSync(command, ["--version"]).status === 0 ? undefined : `${command} is not installed`;
}

/** Files of a folder with one of the endings, absolute and sorted; none if it does not exist. */
export function filesIn(folder, endings) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .sort()
    .map((name) => path.join(folder, name));
}

/** Runs a command; resolves to true if it succeeded. Its output is printed when it ends. */
export function run(command, commandArguments) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArguments);
    let output = "";
    child.stdout.on("data", (text) => (output += text));
    child.stderr.on("data", (text) => (output += text));
    child.on("error", (error) => (output += `${error}\n`));
    child.on("close", (code) => {
      if (output) process.stderr.write(output);
      resolve(code === 0);
    });
  });
}

/** Runs the jobs, as many at a time as there are CPUs. Resolves to false if any returned false. */
export async function runAll(jobs) {
  const queue = [...jobs];
  let succeeded = true;
  const worker = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) succeeded = (await job()) && succeeded;
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return succeeded;
}

export function newest(files) {
  return Math.max(0, ...files.map((file) => statSync(file).mtimeMs));
}
