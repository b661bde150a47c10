import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { buildCommand } from "../../src/files/package.ts";

const project = mkdtempSync(path.join(tmpdir(), "package-"));
afterAll(() => rmSync(project, { recursive: true }));

describe("what builds the addon", () => {
  it("in a clone", () => {
    expect(buildCommand("/home/me/bitnet-lab", "/home/me/bitnet-lab")).toBe("node native/build_addon.mjs --strict");
    expect(buildCommand("/home/me/bitnet-lab", "/home/me")).toBe("node bitnet-lab/native/build_addon.mjs --strict");
  });

  it("elsewhere, in quotes where a shell needs them", () => {
    expect(buildCommand("/opt/lab/bitnet-lab", "/home/me")).toBe(
      "node /opt/lab/bitnet-lab/native/build_addon.mjs --strict",
    );
    expect(buildCommand("/My Projects/it's & $HOME", "/home")).toBe(
      "node '/My Projects/it'\\''s & $HOME/native/build_addon.mjs' --strict",
    );
  });

  it("in a project whose package manager links to its store", () => {
    const installed = path.join(project, "node_modules/bitnet-lab/native");
    mkdirSync(installed, { recursive: true });
    writeFileSync(path.join(installed, "build_addon.mjs"), "");
    const store = path.join(project, "node_modules/.pnpm/bitnet-lab@1/node_modules/bitnet-lab");
    expect(buildCommand(store, project)).toBe("node node_modules/bitnet-lab/native/build_addon.mjs --strict");
  });
});
