/** A checkpoint that is missing, damaged, or does not fit its configuration. The message is one line for the user. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
}

/** What the system says about a failed file operation, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC") return "no space left on the device";
  if (code === "ENOENT") return "no such file or directory";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EFBIG") return "the file is larger than the system allows";
  return message;
}
