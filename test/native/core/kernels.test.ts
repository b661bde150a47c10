/** Runs the C++ check programs of the core: every kernel of every variant of this CPU against the scalar reference. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const runner = fileURLToPath(new URL("../../../native/check/run.mjs", import.meta.url));
const programs = ["core", "gemm", "products", "row_kernels", "bit_linear", "variant_registry"];
const hasCompiler = spawnSync(process.env.CXX || "g++", ["--version"]).status === 0;

describe.skipIf(!hasCompiler)("native core (skipped: no C++ compiler)", () => {
  it("passes its C++ checks", { timeout: 600_000 }, () => {
    const result = spawnSync(process.execPath, [runner, "--plain", ...programs], { encoding: "utf8" });
    const summaries = result.stdout.match(/^\d+ passed, \d+ failed$/gm) ?? [];
    expect(result.status, result.stdout + result.stderr).toBe(0);
    expect(summaries).toHaveLength(programs.length);
    for (const summary of summaries) expect(summary).toMatch(/^[1-9]\d* passed, 0 failed$/);
  });

  it("fails when a required variant is not compared", { timeout: 600_000 }, () => {
    const environment = { ...process.env, CHECK_VARIANT: "no-such-variant" };
    const build = spawnSync(process.execPath, [runner, "--plain", "gemm"], { encoding: "utf8" });
    expect(build.status, build.stderr).toBe(0);
    const program = fileURLToPath(new URL("../../../native/check/build/plain/gemm_check", import.meta.url));
    const result = spawnSync(program, { encoding: "utf8", env: environment });
    expect(result.status).toBe(1);
    expect(result.stdout).toContain("the variant no-such-variant is not among them");
  });
});
