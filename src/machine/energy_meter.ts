/**
 * The energy counters of the processor (RAPL), as Linux shows them in /sys/class/powercap, of Intel and AMD: microjoules
 * of each package and, where there is a counter, of its memory. They count for the whole machine, whoever computes.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { systemErrorCode, systemErrorText } from "../errors/system_error.ts";

interface Counter {
  /** `package-0`, `dram`. */
  name: string;
  file: string;
  /** Microjoules after which it begins again at 0. */
  range: number;
}

export class EnergyMeter {
  private readonly counters: readonly Counter[];

  private constructor(counters: readonly Counter[]) {
    this.counters = counters;
  }

  /** A meter, or why there is none: one line. */
  static open(root = "/sys/class/powercap"): EnergyMeter | string {
    try {
      const zones = readdirSync(root).filter((zone) => /^intel-rapl:\d+(:\d+)?$/.test(zone));
      const counters = zones.map((zone) => counterOf(path.join(root, zone)));
      // What a package is made of is counted with it, but for memory beside it.
      const counted = counters.filter(({ name }) => name.startsWith("package") || name === "dram");
      if (counted.length === 0) return nothingIn(root);
      for (const counter of counted) readCounter(counter.file);
      return new EnergyMeter(counted);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return nothingIn(root);
      return `the counters of energy cannot be read: ${systemErrorText(error)} (${root}; \`sudo chmod a+r ${root}/intel-rapl:*/energy_uj\` lets all read them)`;
    }
  }

  /** What is counted: `package-0, dram`. */
  get names(): string {
    return this.counters.map(({ name }) => name).join(", ");
  }

  /** Starts counting; the function that it returns gives the joules since then. Counters may begin again once between. */
  start(): () => number {
    const before = this.counters.map(({ file }) => readCounter(file));
    return () =>
      this.counters.reduce((joules, { file, range }, i) => {
        const difference = readCounter(file) - before[i];
        return joules + (difference < 0 ? difference + range : difference) / 1e6;
      }, 0);
  }
}

function nothingIn(root: string): string {
  return `no counters of energy in ${root}: a virtual machine, or a system or processor without them`;
}

function counterOf(zone: string): Counter {
  const read = (name: string) => readFileSync(path.join(zone, name), "utf8").trim();
  return { name: read("name"), file: path.join(zone, "energy_uj"), range: Number(read("max_energy_range_uj")) };
}

function readCounter(file: string): number {
  return Number(readFileSync(file, "utf8"));
}
