/** `bitnet-lab/serve`: GGUF files behind an OpenAI-compatible HTTP interface. */
export { type ServedFile, ServeError, type ServeOptions, Server } from "./server.ts";
