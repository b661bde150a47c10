/** What the operating system refuses, in words: the one table of its error codes. */
import { messageOf } from "./user_error.ts";

const words: Record<string, string> = {
  EACCES: "permission denied",
  EBUSY: "it is in use",
  EDQUOT: "the disk quota is used up",
  EEXIST: "it exists already",
  EFBIG: "the file size limit is reached",
  EIO: "the device failed",
  EISDIR: "it is a folder, not a file",
  ELOOP: "its links go in a circle",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  ENFILE: "too many open files",
  ENODEV: "no such device",
  ENOENT: "no such file or folder",
  ENOMEM: "not enough memory",
  ENOSPC: "no space left on the disk",
  ENOTDIR: "a part of the path is not a folder",
  ENOTEMPTY: "the folder is not empty",
  ENXIO: "no such device",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ETXTBSY: "it is a running program",
  EXDEV: "it lies on another disk",
  // Of the network, also as Node's fetch reports them.
  EAI_AGAIN: "the name of the host cannot be looked up now",
  ECONNABORTED: "the connection broke",
  ECONNREFUSED: "nothing listens at this address",
  ECONNRESET: "the connection broke",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ENOTFOUND: "no such host",
  EPIPE: "the connection broke",
  ETIMEDOUT: "no answer in time",
  UND_ERR_CONNECT_TIMEOUT: "no answer in time",
  UND_ERR_SOCKET: "the connection broke",
};

/** Code of a system error (`ENOENT`); undefined for every other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno } = error as NodeJS.ErrnoException;
  const isSystem = typeof code === "string" && (Object.hasOwn(words, code) || typeof errno === "number");
  return isSystem ? code : undefined;
}

/**
 * Why the system refused, in words; the message of an error that is none of the system's.
 * @param path what it was asked for, to end the line: `no such file or folder: small.gguf`
 */
export function systemErrorText(error: unknown, path?: string): string {
  const text = words[systemErrorCode(error) ?? ""] ?? messageOf(error);
  return path === undefined ? text : `${text}: ${path}`;
}
