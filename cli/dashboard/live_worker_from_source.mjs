/**
 * Entry of the worker thread in a source tree: threads do not inherit tsx, so each registers it for itself.
 * (An installed package runs the compiled `live_worker.js` directly.)
 */
import { register } from "tsx/esm/api";

register();
await import("./live_worker.ts");
