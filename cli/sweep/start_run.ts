/**
 * A run of a sweep in a process of its own: `bitnet-train --resume` on a folder that is laid out, what it prints in train.log
 * there. Forked rather than started through a library for processes: the channel tells the steps, and its end ends the run,
 * also when the sweep is killed.
 */
import { fork } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { folderWriter } from "../../src/files/folder_lock.ts";
import { packageDirectory } from "../../src/files/package.ts";
import type { StartRun } from "../../training/sweep/run_sweep.ts";
import { channelVariable, type StepMessage } from "../parent_channel.ts";

/** Milliseconds between two looks at a folder that another process still writes to. */
const look = 200;

interface RunProcessOptions {
  threads: number;
  /** Default: what bitnet-train takes. */
  backend?: string;
  /** Hears of the run of a sweep that was killed, which is at its last step. */
  onWait(directory: string, writer: number): void;
}

export function runProcess({ threads, backend, onWait }: RunProcessOptions): StartRun {
  const program = path.join(packageDirectory(), "cli/bin/bitnet-train.mjs");
  return async ({ directory, untilStep, onStep, signal }) => {
    const args = ["--resume", "--out", directory, "--until-step", String(untilStep), "--threads", String(threads)];
    if (backend !== undefined) args.push("--backend", backend);
    await untilFree(directory, onWait, signal);
    if (signal.aborted) return null;
    const log = path.join(directory, "train.log");
    const output = openSync(log, "a");
    const child = fork(program, args, {
      stdio: ["ignore", output, output, "ipc"],
      env: { ...process.env, [channelVariable]: "1" },
      execArgv: [],
    });
    closeSync(output);
    child.on("message", ({ step, loss }: StepMessage) => onStep(step, loss));
    // Not a signal: from a terminal the run has got its Ctrl-C already, and a second one would kill it.
    const stop = () => child.connected && child.disconnect();
    signal.addEventListener("abort", stop, { once: true });
    const [code, by] = await new Promise<[number | null, string | null]>((resolve) => {
      child.once("error", () => resolve([null, "its start, which failed"]));
      child.once("exit", (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
    });
    signal.removeEventListener("abort", stop);
    if (code === 0) return null;
    return code === null ? `ended by ${by}` : lastError(log);
  };
}

async function untilFree(directory: string, onWait: RunProcessOptions["onWait"], signal: AbortSignal): Promise<void> {
  for (let told = false; !signal.aborted; told = true) {
    const writer = folderWriter(directory);
    if (writer === null) return;
    if (!told) onWait(directory, writer);
    await sleep(look);
  }
}

/** What the command said last, with where the rest is. */
function lastError(log: string): string {
  const lines = readFileSync(log, "utf8").split("\n");
  const said = lines.findLast((line) => line.startsWith("bitnet-train: ")) ?? "ended without a word";
  return `${said.replace("bitnet-train: ", "")} (${log})`;
}
