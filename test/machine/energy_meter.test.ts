/** Counters of energy in a folder that looks like Linux's. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { EnergyMeter } from "../../src/machine/energy_meter.ts";

let root = mkdtempSync(path.join(tmpdir(), "energy-"));
const folders = [root];
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "energy-"));
  folders.push(root);
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function zone(name: string, content: { name: string; energy_uj: number; max_energy_range_uj?: number }): void {
  const folder = path.join(root, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, value] of Object.entries({ max_energy_range_uj: 1e9, ...content })) {
    writeFileSync(path.join(folder, file), `${value}\n`);
  }
}

describe("EnergyMeter", () => {
  it("adds packages and their memory, but not the cores within a package, also past the end of a counter", () => {
    const set = (energies: number[]) => {
      zone("intel-rapl:0", { name: "package-0", energy_uj: energies[0], max_energy_range_uj: 10_000_000 });
      zone("intel-rapl:0:0", { name: "core", energy_uj: energies[1] });
      zone("intel-rapl:0:1", { name: "dram", energy_uj: energies[2] });
      zone("intel-rapl-mmio:0", { name: "package-0", energy_uj: energies[0] });
    };
    set([9_000_000, 1000, 500_000]);
    const meter = EnergyMeter.open(root) as EnergyMeter;
    expect(meter.names).toBe("package-0, dram");
    const joules = meter.start();
    set([9_500_000, 9000, 750_000]);
    expect(joules()).toBeCloseTo(0.75, 9);
    set([1_000_000, 9000, 750_000]);
    expect(joules()).toBeCloseTo(2.25, 9);
  });

  it("says why there is none", () => {
    expect(EnergyMeter.open(path.join(root, "absent"))).toMatch(/^no counters of energy in .*absent: /);
    zone("intel-rapl:0:0", { name: "core", energy_uj: 1 });
    expect(EnergyMeter.open(root)).toMatch(/^no counters of energy in /);
  });

  it.skipIf(process.getuid?.() === 0)("says how to be let read them", () => {
    zone("intel-rapl:0", { name: "package-0", energy_uj: 1 });
    chmodSync(path.join(root, "intel-rapl:0/energy_uj"), 0o000);
    expect(EnergyMeter.open(root)).toMatch(/^the counters of energy cannot be read: permission denied \(.*chmod a\+r/);
  });
});
