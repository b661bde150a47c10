/**
 * The compilers whose machine code is checked, and how they and objdump are called: g++ and clang for x86-64 and
 * AArch64, as far as they are installed (Debian: g++, clang-19, g++-aarch64-linux-gnu).
 *
 * What a compiler keeps in registers depends on its version: only the versions named here are judged, others are
 * reported.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { baseFlags, checkDirectory, filesIn, plainFlags, run, runAll, sourceDirectory } from "../build_tools.mjs";
import { aarch64 } from "./aarch64.mjs";
import { x86_64 } from "./x86_64.mjs";

export const isas = { x86_64, aarch64 };
export const architectures = Object.keys(isas);
export const compilers = ["gcc", "clang"];

const judgedMajor = { gcc: 12, clang: 19 };
const host = { x64: "x86_64", arm64: "aarch64" }[process.arch];

/**
 * @typedef {{ name: string, compiler: string, architecture: string, command: string[], objdump: string, version: string,
 *   judged: boolean }} Toolchain `name` is "gcc x86_64"
 */

function output(
  /** @type {string} */ command,
  /** @type {string[]} */ commandArguments,
  /** @type {string} */ input = "",
) {
  const result = spawnSync(command, commandArguments, { input, encoding: "utf8", maxBuffer: 1 << 30 });
  return result.status === 0 ? result.stdout : undefined;
}

/** The toolchain, or a line that says what is missing. @returns {Toolchain | string} */
export function findToolchain(/** @type {string} */ compiler, /** @type {string} */ architecture) {
  const name = `${compiler} ${architecture}`;
  if (process.platform !== "linux") return `${name}: the check reads ELF objects, on Linux only`;
  const triple = `${architecture}-linux-gnu`;
  const native = architecture === host;
  const objdump = native ? "objdump" : `${triple}-objdump`;
  if (!output(objdump, ["--version"])?.startsWith("GNU objdump"))
    return `${name}: ${objdump} of binutils is not installed`;
  const prefix = native ? "" : `${triple}-`;
  const candidates =
    compiler === "gcc"
      ? [[`${prefix}g++-${judgedMajor.gcc}`], [`${prefix}g++`]]
      : [`clang++-${judgedMajor.clang}`, "clang++"].map((clang) => (native ? [clang] : [clang, `--target=${triple}`]));
  for (const command of candidates) {
    const [program, ...target] = command;
    const version = output(program, ["--version"])?.split("\n", 1)[0];
    if (version === undefined || version.includes("clang") !== (compiler === "clang")) continue;
    const probe = ["-std=c++17", "-fsyntax-only", "-x", "c++", "-"];
    if (output(program, [...target, ...probe], "#include <vector>\n#include <cmath>\n") === undefined) {
      return `${name}: ${program} has no headers and libraries for ${triple}`;
    }
    const major = Number(output(program, ["-dumpversion"])?.split(".", 1)[0]);
    const judged = major === judgedMajor[compiler];
    return { name, compiler, architecture, command, objdump, version, judged };
  }
  return `${name}: ${candidates.at(-1)[0]} is not installed`;
}

/** Whether an object is older than the file it comes from, a header of it, or was made by another command. */
function isStale(/** @type {string} */ object, /** @type {string} */ commandLine) {
  if (![object, `${object}.d`, `${object}.command`].every(existsSync)) return true;
  if (readFileSync(`${object}.command`, "utf8") !== commandLine) return true;
  const made = statSync(object).mtimeMs;
  const sources = readFileSync(`${object}.d`, "utf8")
    .replace(/^[^:]*:|\\\n/g, " ")
    .trim()
    .split(/\s+/);
  return sources.some((file) => !existsSync(file) || statSync(file).mtimeMs > made);
}

/** The sources with loops over vectors. */
export function kernelSources() {
  return ["core", "training"].flatMap((folder) => filesIn(path.join(sourceDirectory, folder), [".cc"]));
}

/**
 * Compiles files as the addon is compiled, those that changed.
 * @returns {Promise<Map<string, Map<string, string>>>} per toolchain: objects by file, without those that do not compile
 */
export async function compile(/** @type {Toolchain[]} */ toolchains, /** @type {string[]} */ files) {
  const jobs = [];
  const objects = new Map(toolchains.map(({ name }) => [name, new Map()]));
  for (const { name, command, version } of toolchains) {
    const folder = path.join(checkDirectory, "build", `machine_code_${name.replace(" ", "_")}`);
    mkdirSync(folder, { recursive: true });
    for (const file of files) {
      const object = path.join(folder, `${path.relative(sourceDirectory, file).replaceAll(path.sep, "_")}.o`);
      objects.get(name).set(file, object);
      const flags = [...baseFlags, ...plainFlags, `-I${sourceDirectory}`, `-I${checkDirectory}`];
      const [program, ...own] = [...command, ...flags, "-c", file, "-o", object, "-MMD", "-MF", `${object}.d`];
      const commandLine = `${version}\n${[program, ...own].join(" ")}`;
      if (!isStale(object, commandLine)) continue;
      jobs.push(async () => {
        const made = await run(program, own);
        if (made) writeFileSync(`${object}.command`, commandLine);
        else objects.get(name).delete(file);
        return made;
      });
    }
  }
  await runAll(jobs);
  return objects;
}

export function disassemble(/** @type {Toolchain} */ { objdump }, /** @type {string} */ object) {
  const text = output(objdump, ["-d", "-r", "-C", "--no-show-raw-insn", object]);
  if (text === undefined) throw new Error(`${objdump} cannot read ${object}`);
  return text;
}
