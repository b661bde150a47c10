/**
 * Compiles and links the addon with the C++ compiler of the machine: no shell and no make, so that the folder may have any
 * name. Only what has changed is compiled again; every file appears whole, so two builds at once do no harm.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";

const compileFlags = [
  "-std=c++17",
  "-O3",
  // GCC for AArch64 would move loads ahead before it gives out registers, and run out of them.
  "-fno-schedule-insns",
  "-Wno-ignored-optimization-argument",
  "-fno-fast-math",
  "-ffp-contract=off",
  "-fno-math-errno",
  "-fno-trapping-math",
  "-Wall",
  "-Wextra",
  "-fPIC",
  "-pthread",
  "-DNAPI_VERSION=8",
  "-DNAPI_CPP_EXCEPTIONS",
  "-DNDEBUG",
  ...(process.platform === "darwin" ? ["-mmacosx-version-min=11.0"] : []),
];
/** Node's own functions are found when it loads the addon. */
const linkFlags =
  process.platform === "darwin"
    ? ["-bundle", "-undefined", "dynamic_lookup", "-mmacosx-version-min=11.0"]
    : ["-shared", "-pthread"];

/** A build that failed; `log` is what the compiler said. */
export class BuildError extends Error {
  constructor(message, log = "") {
    super(message);
    this.log = log;
  }
}

const words = (text = "") => text.split(/\s+/).filter((word) => word !== "");

/** The command of the compiler, CXX or the first that there is, and what it says of itself. */
export function findCompiler(env = process.env) {
  const named = env.CXX?.trim();
  const candidates = named ? [existsSync(named) ? [named] : words(named)] : [["g++"], ["c++"], ["clang++"]];
  for (const command of candidates) {
    const { status, stdout } = spawnSync(command[0], [...command.slice(1), "--version"], { encoding: "utf8", env });
    if (status === 0) return { command, version: stdout.split("\n")[0] };
  }
  throw new BuildError(named ? `CXX is ${named}, which cannot be run` : "there is no C++ compiler");
}

/** Every .cc of the addon, relative to native/. */
function sourceFiles(native) {
  return ["core", "training", "inference", "addon"].flatMap((room) =>
    readdirSync(path.join(native, "cc", room))
      .filter((name) => name.endsWith(".cc"))
      .sort()
      .map((name) => `cc/${room}/${name}`),
  );
}

const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN;

/** What is built, relative to native/. */
export const addon = "build/Release/bitnet_native.node";

/**
 * Whether the addon is there and newer than all that it is made of: then a machine without a compiler will do.
 * @param {string} native the folder native/
 */
export function isNewest(native) {
  const made = modified(path.join(native, addon));
  const files = readdirSync(path.join(native, "cc"), { recursive: true, encoding: "utf8" });
  return files.every((file) => modified(path.join(native, "cc", file)) <= made);
}

function findCompilerUnless(isNeedless) {
  try {
    return findCompiler();
  } catch (error) {
    if (isNeedless()) return undefined;
    throw error;
  }
}

/** Whether the object file is as new as its source and our headers that the source has included. */
function isCurrent(native, source, object) {
  const made = modified(path.join(native, object));
  const list = path.join(native, `${object}.d`);
  if (Number.isNaN(made) || !existsSync(list)) return false;
  const headers = readFileSync(list, "utf8").match(/(?<=\s)cc\/\S+\.h\b/g) ?? [];
  return [source, ...headers].every((file) => modified(path.join(native, file)) <= made);
}

function run(command, options) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), options);
    let output = "";
    child.stdout.on("data", (text) => (output += text));
    child.stderr.on("data", (text) => (output += text));
    child.on("error", (error) => resolve({ succeeded: false, output: `${output}${error.message}\n` }));
    child.on("close", (code) => resolve({ succeeded: code === 0, output }));
  });
}

/** Runs `command` for an output that appears when it is whole. */
async function make(native, output, command) {
  const unfinished = `${output}.${process.pid}`;
  const { succeeded, output: log } = await run([...command, "-o", unfinished], { cwd: native });
  if (!succeeded) {
    rmSync(path.join(native, unfinished), { force: true });
    throw new BuildError(`${command[0]} failed`, log);
  }
  renameSync(path.join(native, unfinished), path.join(native, output));
}

/**
 * Builds native/build/Release/bitnet_native.node, if it is not up to date.
 * @param {string} native the folder native/
 * @param {readonly string[]} includes folders of headers besides native/cc
 * @param {(files: number) => void} onCompile hears how many files are to be compiled
 * @throws {BuildError}
 */
export async function compileAddon(native, includes, onCompile = () => {}) {
  const { command, version } = findCompilerUnless(() => isNewest(native)) ?? {};
  if (command === undefined) return;
  const compile = [
    ...command,
    // Of the user, first: what the results depend on has the last word.
    ...words(process.env.CPPFLAGS),
    ...words(process.env.CXXFLAGS),
    ...compileFlags,
    "-Icc",
    ...includes.map((folder) => `-I${path.relative(native, folder) || "."}`),
  ];
  const link = [...command, ...linkFlags, ...words(process.env.LDFLAGS)];
  const stamp = `${JSON.stringify({ version, machine: `${process.platform} ${process.arch}`, compile, link }, null, 1)}\n`;
  const stampFile = path.join(native, "build/objects/command.json");
  const isSameCommand = existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;

  const sources = sourceFiles(native);
  const objectOf = (source) => `build/objects/${source.slice("cc/".length, -".cc".length)}.o`;
  const changed = sources.filter((source) => !isSameCommand || !isCurrent(native, source, objectOf(source)));
  const linked = modified(path.join(native, addon));
  const isLinked = sources.every((source) => modified(path.join(native, objectOf(source))) <= linked);
  if (changed.length === 0 && isLinked) {
    // A file that no source includes was touched: from now on the addon is newer than that, too.
    if (!isNewest(native)) utimesSync(path.join(native, addon), new Date(), new Date());
    return;
  }

  for (const file of [addon, ...sources.map(objectOf)]) {
    mkdirSync(path.dirname(path.join(native, file)), { recursive: true });
  }
  if (!isSameCommand) rmSync(stampFile, { force: true });
  onCompile(changed.length);
  const queue = [...changed];
  const worker = async () => {
    for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
      const object = objectOf(source);
      await make(native, object, [...compile, "-MMD", "-MF", `${object}.d`, "-MT", "object", "-c", source]);
    }
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
  } finally {
    queue.length = 0;
  }
  await make(native, addon, [...link, ...sources.map(objectOf)]);
  writeFileSync(stampFile, stamp);
}
