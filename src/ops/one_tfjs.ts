/**
 * Says in one line if the project that uses this package has another copy of tfjs: two copies do not know each other's
 * layers and tensors, and what goes wrong then never names the cause. Imported by the package's entries for its effect.
 */
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const packageName = "@tensorflow/tfjs";

/** Real path of the tfjs that a file `from` would load, or null if it would find none. */
export function tfjsPath(from: string): string | null {
  try {
    return realpathSync(createRequire(from).resolve(packageName));
  } catch {
    return null;
  }
}

/** The warning for a project in `projectDirectory` whose tfjs is not `ours`; null if it has the same or none. */
export function secondCopyWarning(projectDirectory: string, ours: string | null): string | null {
  const theirs = tfjsPath(path.join(projectDirectory, "package.json"));
  if (theirs === null || ours === null || theirs === ours) return null;
  return (
    `bitnet-lab: WARNING: two copies of ${packageName}, which do not know each other's layers: ${theirs} and ${ours}; ` +
    `install one version from ^4.22.0 (npm ls ${packageName} shows who asks for which)`
  );
}

const warning = secondCopyWarning(process.cwd(), tfjsPath(import.meta.url));
if (warning !== null) console.error(warning);
