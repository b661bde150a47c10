/** What goes wrong between us and a completions server, in one line that begins with its address. */
export class ServerError extends Error {
  override name = "ServerError";
}
