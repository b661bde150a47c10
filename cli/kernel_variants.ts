/** The kernel variants that BITNET_ISA may name, for help texts: what was compiled into the addon. */
import { loadAddon, NativeUnavailableError } from "../native/addon.ts";

/** A sentence of the help of commands that run kernels. */
export function variantHelp(load = loadAddon): string {
  try {
    const { variants } = load().features();
    const missing = variants.filter(({ supported }) => !supported).map(({ name }) => name);
    const lacks = missing.length > 0 ? ` (this CPU cannot run ${missing.join(", ")})` : "";
    return `BITNET_ISA=${variants.map(({ name }) => name).join("|")} forces a kernel variant${lacks}.`;
  } catch (error) {
    if (!(error instanceof NativeUnavailableError)) throw error;
    return "BITNET_ISA=NAME forces a kernel variant of the native addon, which is not there: it is not built.";
  }
}
