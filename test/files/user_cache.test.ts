import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { cacheHome, chosenCache, homeDirectory, temporaryHome, userCache } from "../../src/files/user_cache.ts";
import { FileWriteError } from "../../src/files/write_error.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "user-cache-"));
  writeFileSync(path.join(folder, "file"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.unstubAllEnvs());

describe("userCache", () => {
  it("is BITNET_CACHE, else below XDG_CACHE_HOME, else below the home", () => {
    const chosen = path.join(folder, "mine");
    expect(userCache({ BITNET_CACHE: chosen })).toEqual({ folder: chosen, remark: null });
    expect(userCache({ XDG_CACHE_HOME: folder })).toEqual({ folder: path.join(folder, "bitnet-lab"), remark: null });
    vi.stubEnv("HOME", folder);
    expect(userCache({})).toEqual({ folder: path.join(folder, ".cache/bitnet-lab"), remark: null });
    expect(existsSync(path.join(folder, ".cache"))).toBe(false);
  });

  it("is among the temporary files where the usual folder cannot be written, and says so", () => {
    vi.stubEnv("TMPDIR", folder);
    const { folder: place, remark } = userCache({ XDG_CACHE_HOME: path.join(folder, "file") });
    expect(place).toBe(path.join(temporaryHome(), "cache"));
    expect(place.startsWith(folder)).toBe(true);
    expect(remark).toMatch(
      /^the cache is in .*: cannot write .*file\/bitnet-lab: .*; BITNET_CACHE names another folder$/,
    );
  });

  it("is an error that names BITNET_CACHE where nothing can be written", () => {
    vi.stubEnv("TMPDIR", path.join(folder, "file"));
    expect(() => userCache({ XDG_CACHE_HOME: path.join(folder, "file") })).toThrow(
      /^no place for the cache: .*; let BITNET_CACHE name a folder$/,
    );
  });

  it("needs no home", () => {
    vi.stubEnv("HOME", "");
    vi.stubEnv("TMPDIR", folder);
    expect(homeDirectory()).toBeNull();
    expect(cacheHome({})).toBeNull();
    expect(userCache({}).remark).toMatch(/: this user has no home; BITNET_CACHE names another folder$/);
  });
});

describe("a chosen cache", () => {
  it("must be writable, unless it holds something already", () => {
    const impossible = path.join(folder, "file/cache");
    expect(() => chosenCache(impossible, "BITNET_CACHE")).toThrow(FileWriteError);
    expect(() => chosenCache(impossible, "BITNET_CACHE")).toThrow(/^BITNET_CACHE: cannot write /);
    const filled = path.join(folder, "filled");
    mkdirSync(path.join(filled, "key"), { recursive: true });
    expect(chosenCache(filled, "data.cache_directory")).toEqual({ folder: filled, remark: null });
  });
});
