/**
 * A name for the CPU that tells its speed: "AMD EPYC" may be five generations. The microarchitecture follows from family
 * and model; virtual machines may mask those, so a name that the features contradict is dropped, and what the features say
 * stands in its place.
 */
import { type CpuFacts, loadAddon } from "./addon.ts";

interface Generation {
  name: string;
  vendor: string;
  family: number;
  /** Model numbers, or pairs of the first and the last one. */
  models: readonly (number | readonly [first: number, last: number])[];
  /** Where models are shared. */
  firstStepping?: number;
}

const amd = (name: string, family: number, ...models: Generation["models"]): Generation => {
  return { name, vendor: "AuthenticAMD", family, models };
};
const intel = (name: string, ...models: number[]): Generation => ({ name, vendor: "GenuineIntel", family: 6, models });
const arm = (name: string, model: number): Generation => ({ name, vendor: "0x41", family: -1, models: [model] });

/** The first that fits holds. */
const generations: readonly Generation[] = [
  amd("Zen", 23, [0x00, 0x2f], [0x50, 0x5f]),
  amd("Zen 2", 23, [0x30, 0x4f], [0x60, 0x7f], [0x90, 0x91], [0xa0, 0xaf]),
  amd("Zen 3", 25, [0x00, 0x0f], [0x20, 0x5f]),
  amd("Zen 4", 25, [0x10, 0x1f], [0x60, 0xaf]),
  amd("Zen 5", 26, [0x00, 0x2f], [0x40, 0x4f], [0x60, 0x7f]),
  amd("Zen 6", 26, [0x50, 0x5f], [0x80, 0xaf], [0xc0, 0xcf]),
  intel("Haswell", 0x3c, 0x3f, 0x45, 0x46),
  intel("Broadwell", 0x3d, 0x47, 0x4f, 0x56),
  intel("Skylake", 0x4e, 0x5e),
  { ...intel("Cooper Lake", 0x55), firstStepping: 10 },
  { ...intel("Cascade Lake", 0x55), firstStepping: 5 },
  intel("Skylake-SP", 0x55),
  intel("Kaby Lake", 0x8e, 0x9e),
  intel("Comet Lake", 0xa5, 0xa6),
  intel("Ice Lake", 0x7d, 0x7e),
  intel("Ice Lake-SP", 0x6a, 0x6c),
  intel("Tiger Lake", 0x8c, 0x8d),
  intel("Rocket Lake", 0xa7),
  intel("Alder Lake", 0x97, 0x9a),
  intel("Alder Lake-N", 0xbe),
  intel("Raptor Lake", 0xb7, 0xba, 0xbf),
  intel("Meteor Lake", 0xaa, 0xac),
  intel("Lunar Lake", 0xbd),
  intel("Arrow Lake", 0xb5, 0xc5, 0xc6),
  intel("Panther Lake", 0xcc),
  intel("Sapphire Rapids", 0x8f),
  intel("Emerald Rapids", 0xcf),
  intel("Granite Rapids", 0xad, 0xae),
  intel("Sierra Forest", 0xaf),
  arm("Cortex-A76", 0xd0b),
  arm("Neoverse N1", 0xd0c),
  arm("Neoverse V1", 0xd40),
  arm("Neoverse N2", 0xd49),
  arm("Neoverse V2", 0xd4f),
  arm("Neoverse V3", 0xd84),
  arm("Neoverse N3", 0xd8e),
];

/** A feature that only some generations of a vendor have, the oldest first; the last rule that applies names a masked CPU. */
const telling: readonly { feature: string; vendor: string; generations: readonly string[] }[] = [
  { feature: "avx512bf16", vendor: "AuthenticAMD", generations: ["Zen 4", "Zen 5", "Zen 6"] },
  { feature: "avxvnni", vendor: "AuthenticAMD", generations: ["Zen 5", "Zen 6"] },
  {
    feature: "avx512bf16",
    vendor: "GenuineIntel",
    generations: ["Cooper Lake", "Sapphire Rapids", "Emerald Rapids", "Granite Rapids"],
  },
  {
    feature: "amx",
    vendor: "GenuineIntel",
    generations: ["Sapphire Rapids", "Emerald Rapids", "Granite Rapids"],
  },
];

function generationOf({ vendor, family, model, stepping }: CpuFacts): string | undefined {
  return generations.find(
    (each) =>
      each.vendor === vendor &&
      (each.family === family || each.family < 0) &&
      stepping >= (each.firstStepping ?? 0) &&
      each.models.some((models) =>
        typeof models === "number" ? models === model : model >= models[0] && model <= models[1],
      ),
  )?.name;
}

/** "Zen 4"; "at least Sapphire Rapids" where the model is masked or unknown; undefined if nothing tells. */
export function microarchitecture(cpu: CpuFacts): string | undefined {
  const told = telling.filter(({ feature, vendor }) => vendor === cpu.vendor && cpu.features.includes(feature));
  const name = generationOf(cpu);
  if (name !== undefined && told.every((each) => each.generations.includes(name))) return name;
  const last = told.at(-1);
  return last && `at least ${last.generations[0]}`;
}

/** "AMD EPYC 9B14 (Zen 4, family 25 model 17 stepping 1)". */
export function cpuName(cpu: CpuFacts): string {
  const numbers = `family ${cpu.family} model ${cpu.model} stepping ${cpu.stepping}`;
  const inside = [microarchitecture(cpu), cpu.vendor === "" ? undefined : numbers].filter((part) => part !== undefined);
  const name = cpu.cpu.replaceAll(/\s+/g, " ").trim() || cpu.vendor || process.arch;
  return inside.length === 0 ? name : `${name} (${inside.join(", ")})`;
}

/** {@link cpuName} of this machine. */
export function thisCpuName(): string {
  return cpuName(loadAddon().features());
}
