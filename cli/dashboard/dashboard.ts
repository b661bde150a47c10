/** The live page of a run, from the trainer's side: a listener that passes on what it hears to the page's thread. */
import { Worker } from "node:worker_threads";
import type { MetricPoint } from "../../src/report/run/run_data.ts";
import type { RunListener } from "../../training/training_run.ts";
import { UsageError } from "../command.ts";
import type { LiveFacts, LiveMessage } from "./live_run.ts";
import { DashboardError } from "./live_server.ts";
import type { LiveAnswer, LiveSetup } from "./live_worker.ts";

/** Milliseconds that the end of a run waits for pages that do not take what they are told. */
const endTimeout = 2000;

/** Port of `--dashboard[=port]`: undefined without the flag, 0 for a free one. @throws {UsageError} */
export function dashboardPort(flag: string | undefined): number | undefined {
  if (flag === undefined) return undefined;
  const port = flag === "" ? 0 : Number(flag);
  if (Number.isInteger(port) && port >= 0 && port < 65536) return port;
  throw new UsageError(`--dashboard must be a port from 1 to 65535, or without a value, not ${flag}`);
}

export class Dashboard {
  readonly url: string;
  private readonly worker: Worker;

  private constructor(worker: Worker, port: number) {
    this.worker = worker;
    this.url = `http://127.0.0.1:${port}/`;
    // A run that fails elsewhere must not wait for its page.
    worker.unref();
  }

  /** Listens on the loopback address. @throws {DashboardError} if the port is taken */
  static async open(port: number, facts: LiveFacts, rows: readonly MetricPoint[]): Promise<Dashboard> {
    const entry = import.meta.url.endsWith(".ts") ? "./live_worker_from_source.mjs" : "./live_worker.js";
    const setup: LiveSetup = { port, facts, rows };
    const worker = new Worker(new URL(entry, import.meta.url), { workerData: setup });
    const answer = await new Promise<LiveAnswer>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    if ("port" in answer) return new Dashboard(worker, answer.port);
    await worker.terminate();
    throw answer.stack === undefined
      ? new DashboardError(answer.error)
      : Object.assign(new Error(answer.error), { stack: answer.stack });
  }

  /** Tells the page what `listener` hears. */
  listening(listener: RunListener): RunListener {
    return {
      onStep: (step, loss) => {
        listener.onStep?.(step, loss);
        this.tell({ type: "step", step, loss });
      },
      onMetrics: (row) => {
        listener.onMetrics?.(row);
        this.tell({ type: "row", row });
      },
      onTelemetry: (step, rows) => listener.onTelemetry?.(step, rows),
      onSample: (step, text) => {
        listener.onSample?.(step, text);
        this.tell({ type: "sample", step, text });
      },
      onRemark: (line) => {
        listener.onRemark?.(line);
        this.tell({ type: "note", text: line });
      },
      onCheckpoint: (step, directory) => listener.onCheckpoint?.(step, directory),
    };
  }

  /** Pages keep what they have and say how it ended. */
  async close(text: string): Promise<void> {
    const ended = new Promise((resolve) => this.worker.once("exit", resolve));
    this.tell({ type: "end", text });
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([ended, new Promise((resolve) => (timer = setTimeout(resolve, endTimeout)))]);
    clearTimeout(timer);
    await this.worker.terminate();
  }

  private tell(message: LiveMessage): void {
    this.worker.postMessage(message);
  }
}
