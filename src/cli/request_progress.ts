/** Progress of an evaluation on stderr: a bar on a terminal, a line for every tenth elsewhere. */
import { Presets, SingleBar } from "cli-progress";

export class RequestProgress {
  private readonly stream: NodeJS.WriteStream;
  private readonly bar: SingleBar | undefined;
  private lastTenth = 0;
  private readonly start = performance.now();

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.stream = stream;
    if (stream.isTTY) {
      const format = "requests {bar} {value}/{total} | {duration_formatted} | ETA {eta_formatted}";
      this.bar = new SingleBar({ format, stream, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
    }
  }

  update(done: number, total: number): void {
    if (this.bar) {
      if (!this.bar.isActive) this.bar.start(total, done);
      else this.bar.update(done);
      return;
    }
    const tenth = Math.floor((10 * done) / total);
    if (tenth === this.lastTenth) return;
    this.lastTenth = tenth;
    const seconds = ((performance.now() - this.start) / 1000).toFixed(1);
    this.stream.write(`${done} of ${total} requests, ${seconds} s\n`);
  }

  close(): void {
    this.bar?.stop();
  }
}
