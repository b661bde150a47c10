/** The build of the addon, of a small one: in folders of any name, and again only what has changed. */
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { BuildError, compileAddon, findCompiler, isNewest } from "../../native/compile_addon.mjs";
import { titleUnless } from "../support/missing.ts";

const require = createRequire(import.meta.url);
const root = mkdtempSync(path.join(tmpdir(), "compile-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const hasCompiler = (() => {
  try {
    return process.platform !== "win32" && findCompiler() !== undefined;
  } catch {
    return false;
  }
})();

/** A folder native/ with two sources, one of which includes a header. */
function smallAddon(name: string): string {
  const native = path.join(root, name, "native");
  for (const room of ["core", "training", "inference", "addon"]) {
    mkdirSync(path.join(native, "cc", room), { recursive: true });
  }
  writeFileSync(path.join(native, "cc/core/answer.h"), "int answer();\n");
  writeFileSync(path.join(native, "cc/core/answer.cc"), "int answer() { return 42; }\n");
  writeFileSync(
    path.join(native, "cc/addon/addon.cc"),
    `#include <node_api.h>
#include "core/answer.h"
NAPI_MODULE_INIT() {
  napi_value value;
  napi_create_int32(env, answer(), &value);
  return value;
}
`,
  );
  return native;
}

const includes = [require("node-api-headers").include_dir];
const addonOf = (native: string) => path.join(native, "build/Release/bitnet_native.node");

describe.runIf(hasCompiler)(titleUnless(!hasCompiler, "a C++ compiler", "compileAddon"), () => {
  it.each(["My Projects", "a & b", "a'b", 'q"uote', "Üml äut", "$HOME (1) #2 %41;x", "*?[x]", "-dash", "new\nline"])(
    "builds below %j",
    async (name) => {
      const native = smallAddon(name);
      await compileAddon(native, includes);
      expect(require(addonOf(native))).toBe(42);
    },
  );

  it("knows when it lags behind its sources, whatever was touched, until it is built again", async () => {
    const native = smallAddon("behind");
    expect(isNewest(native)).toBe(false);
    await compileAddon(native, includes);
    expect(isNewest(native)).toBe(true);
    const later = new Date(Date.now() + 5);
    for (const name of ["core/answer.h", "core/unused.h"]) {
      writeFileSync(path.join(native, "cc", name), "int answer();\n");
      utimesSync(path.join(native, "cc", name), later, later);
      expect(isNewest(native), name).toBe(false);
      await new Promise((resolve) => setTimeout(resolve, 10));
      await compileAddon(native, includes);
      expect(isNewest(native), name).toBe(true);
    }
  });

  it("compiles again what a change concerns, and links anew", async () => {
    const native = smallAddon("again");
    const counts: number[] = [];
    const build = () => compileAddon(native, includes, (count) => counts.push(count));
    await build();
    await build();
    expect(counts).toEqual([2]);
    const later = new Date(Date.now() + 5000);
    utimesSync(path.join(native, "cc/core/answer.h"), later, later);
    await build();
    expect(counts).toEqual([2, 1]);
    rmSync(addonOf(native));
    await build();
    expect(statSync(addonOf(native)).size).toBeGreaterThan(0);
  });

  it("needs no compiler for what is up to date", async () => {
    const native = smallAddon("no compiler");
    await compileAddon(native, includes);
    vi.stubEnv("CXX", "/no/such/compiler");
    try {
      await compileAddon(native, includes);
      const later = new Date(Date.now() + 5000);
      utimesSync(path.join(native, "cc/core/answer.h"), later, later);
      await expect(compileAddon(native, includes)).rejects.toThrow("CXX is /no/such/compiler, which cannot be run");
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("fails with what the compiler says, and leaves nothing half made", async () => {
    const native = smallAddon("broken");
    writeFileSync(path.join(native, "cc/core/answer.cc"), "int answer() { return nonsense; }\n");
    const error = await compileAddon(native, includes).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BuildError);
    expect((error as BuildError).log).toContain("nonsense");
    expect(statSync(addonOf(native), { throwIfNoEntry: false })).toBeUndefined();
  });
});

it("names CXX if it cannot be run", () => {
  expect(() => findCompiler({ CXX: "/no/such/compiler -v" })).toThrow(
    "CXX is /no/such/compiler -v, which cannot be run",
  );
  expect(() => findCompiler({ PATH: "/no/such/folder" })).toThrow("there is no C++ compiler");
});
