import { describe, expect, it } from "vitest";
import { cpuName, microarchitecture } from "../../native/cpu_name.ts";

const facts = (vendor: string, family: number, model: number, stepping = 1, features: string[] = []) => ({
  cpu: "CPU",
  vendor,
  family,
  model,
  stepping,
  features,
});

describe("microarchitecture", () => {
  it.each([
    ["Zen 3", facts("AuthenticAMD", 25, 1)],
    ["Zen 4", facts("AuthenticAMD", 25, 17, 1, ["avx512bf16"])],
    ["Zen 5", facts("AuthenticAMD", 26, 2, 1, ["avxvnni", "avx512bf16"])],
    ["Skylake-SP", facts("GenuineIntel", 6, 0x55, 4)],
    ["Cascade Lake", facts("GenuineIntel", 6, 0x55, 7)],
    ["Cooper Lake", facts("GenuineIntel", 6, 0x55, 11, ["avx512bf16"])],
    ["Sapphire Rapids", facts("GenuineIntel", 6, 0x8f, 8, ["avxvnni", "avx512bf16", "amx"])],
    ["Neoverse N1", facts("0x41", 3, 0xd0c)],
  ])("%s", (name, cpu) => expect(microarchitecture(cpu)).toBe(name));

  it("goes by the features where they contradict the model", () => {
    const masked = facts("GenuineIntel", 6, 167, 1, ["avx2", "avx512bf16", "amx"]);
    expect(microarchitecture(masked)).toBe("at least Sapphire Rapids");
    expect(microarchitecture({ ...masked, features: ["avx512bf16"] })).toBe("at least Cooper Lake");
    expect(microarchitecture(facts("AuthenticAMD", 23, 1, 1, ["avxvnni", "avx512bf16"]))).toBe("at least Zen 5");
  });

  it("does not guess", () => {
    expect(microarchitecture(facts("GenuineIntel", 6, 0xff))).toBeUndefined();
    expect(microarchitecture(facts("", 0, 0, 0))).toBeUndefined();
  });
});

describe("cpuName", () => {
  it("has the CPU's own name, the microarchitecture and its numbers", () => {
    expect(cpuName({ ...facts("AuthenticAMD", 25, 17), cpu: "AMD EPYC  9B14 " })).toBe(
      "AMD EPYC 9B14 (Zen 4, family 25 model 17 stepping 1)",
    );
    expect(cpuName({ ...facts("", 0, 0, 0), cpu: "Apple M1" })).toBe("Apple M1");
    expect(cpuName({ ...facts("", 0, 0, 0), cpu: "" })).toBe(process.arch);
  });
});
