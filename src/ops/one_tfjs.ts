/**
 * Says in one line if there is a second copy of tfjs: two copies do not know each other's layers and tensors, and what goes
 * wrong then never names the cause. Imported first by the package's entries, for its effect.
 */
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const packageName = "@tensorflow/tfjs";
const backendName = "@tensorflow/tfjs-backend-cpu";

function pathOf(name: string, from: string): string | null {
  try {
    return realpathSync(createRequire(from).resolve(name));
  } catch {
    return null;
  }
}

/** Real path of the tfjs that a file `from` would load, or null if it would find none. */
export const tfjsPath = (from: string): string | null => pathOf(packageName, from);

const advice = `install one version from ^4.22.0 (npm ls ${packageName} shows who asks for which)`;

/** The warning for a project in `projectDirectory` whose tfjs is not `ours`; null if it has the same or none. */
export function secondCopyWarning(projectDirectory: string, ours: string | null): string | null {
  const theirs = tfjsPath(path.join(projectDirectory, "package.json"));
  if (theirs === null || ours === null || theirs === ours) return null;
  return `bitnet-lab: WARNING: two copies of ${packageName}, which do not know each other's layers: ${theirs} and ${ours}; ${advice}`;
}

/** The warning if `from` would load another copy of a backend than its tfjs does; null if it is the same. */
export function secondBackendWarning(from: string): string | null {
  const tfjs = tfjsPath(from);
  const [theirs, ours] = [tfjs && pathOf(backendName, tfjs), pathOf(backendName, from)];
  if (theirs === null || ours === null || theirs === ours) return null;
  return `bitnet-lab: WARNING: two copies of ${backendName}, of different versions of tfjs: ${theirs} and ${ours}; ${advice}`;
}

/** What tfjs says of each of the hundreds of kernels of a second copy. */
const noise =
  /^(?:The kernel '.*' for backend '.*' is already registered|\w+ backend was already registered|Platform \w+ has already been set)/;

/** Leaves that out while modules are loaded: one line has said it. */
function silenceNoise(): void {
  const { warn } = console;
  console.warn = (...values: unknown[]) => {
    if (typeof values[0] !== "string" || !noise.test(values[0])) warn.apply(console, values);
  };
  setImmediate(() => {
    console.warn = warn;
  }).unref();
}

const warning = secondCopyWarning(process.cwd(), tfjsPath(import.meta.url)) ?? secondBackendWarning(import.meta.url);
if (warning !== null) {
  console.error(warning);
  silenceNoise();
}
