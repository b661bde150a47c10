/** What data preparation shows: a line when a phase starts; on a terminal, its percentage. */
import type { DataProgress } from "../training/run_data.ts";

/** A progress function for `stream`; call `done` at the end. */
export function dataProgress(stream: NodeJS.WriteStream): DataProgress & { done(): void } {
  let phase = "";
  let lastPercent = -1;
  const clear = () => {
    if (stream.isTTY && phase !== "") stream.write("\r\x1b[K");
  };
  const report: DataProgress = (name, done, total) => {
    const percent = total > 0 ? Math.floor((100 * done) / total) : 0;
    if (name === phase && (!stream.isTTY || percent === lastPercent)) return;
    clear();
    stream.write(stream.isTTY ? `${name} ${percent}%` : `${name}\n`);
    phase = name;
    lastPercent = percent;
  };
  return Object.assign(report, { done: clear });
}
