/**
 * A project outside of the checkout that has installed this package from its packed tarball, as `npm install` would lay it
 * out: the package unpacked, its dependencies beside it, the addon built. Dependencies are links to those of the checkout.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const root = path.join(import.meta.dirname, "../..");

export interface PackedProject {
  directory: string;
  /** Files of the tarball, relative to the package. */
  files: string[];
  /** Runs tsc, a command of this package, or node itself. @returns stdout @throws with all output if it fails */
  run(program: string, args: readonly string[]): string;
  remove(): void;
}

function installedPackages(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(path.join(folder, name)).map((inner) => `${name}/${inner}`) : [name],
    );
}

/** @param sources folder of TypeScript files and a tsconfig.json, copied into the project */
export function packedProject(sources: string): PackedProject {
  const directory = mkdtempSync(path.join(tmpdir(), "outside-project-"));
  const modules = path.join(directory, "node_modules");
  const home = path.join(modules, "bitnet-lab");
  mkdirSync(home, { recursive: true });
  const npm = (args: string[]) =>
    execFileSync("npm", args, { cwd: root, encoding: "utf8", shell: process.platform === "win32" });
  // The scripts of prepack print to stdout, too: the JSON is what begins with a line "[".
  const printed = npm(["pack", "--json", "--pack-destination", directory]);
  const [{ filename, files }] = JSON.parse(printed.slice(printed.search(/^\[$/m)));
  execFileSync("tar", ["-xzf", path.join(directory, filename), "-C", home, "--strip-components=1"]);
  for (const name of installedPackages(path.join(root, "node_modules"))) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(root, "node_modules", name), path.join(modules, name), "junction");
  }
  const addon = "native/build/Release/bitnet_native.node";
  mkdirSync(path.dirname(path.join(home, addon)), { recursive: true });
  cpSync(path.join(root, addon), path.join(home, addon));
  cpSync(sources, directory, { recursive: true });
  writeFileSync(path.join(directory, "package.json"), '{ "name": "outside", "private": true, "type": "module" }\n');
  return {
    directory,
    files: files.map((file: { path: string }) => file.path),
    run: (program, args) => {
      const { bin } = JSON.parse(readFileSync(path.join(home, "package.json"), "utf8"));
      const script = program === "tsc" ? path.join(modules, "typescript/bin/tsc") : path.join(home, bin[program] ?? "");
      const before = program === "node" ? [] : [script];
      const { status, stdout, stderr } = spawnSync(process.execPath, [...before, ...args], {
        cwd: directory,
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
      return stdout;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
