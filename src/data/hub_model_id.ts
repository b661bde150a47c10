/** How a model of the Hugging Face Hub is named: apart from what loads it, which takes the Hub's library. */

export interface HubModelId {
  /** `owner/name` */
  name: string;
  revision: string;
  /** The file that is meant: of a model to download a GGUF file, or the first part of it. */
  file: string | null;
}

export const hubRepositoryName = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/** `owner/name`, `owner/name@revision`, `owner/name:FILE.gguf` or `owner/name@revision:FILE.gguf`; null for anything else. */
export function parseHubModelId(text: string): HubModelId | null {
  const id = parseHubFileId(text);
  return id === null || id.file === null || id.file.endsWith(".gguf") ? id : null;
}

/** The same with a file of any kind. */
export function parseHubFileId(text: string): HubModelId | null {
  const [, name, revision = "main", file = null] = /^([^@:]+)(?:@([^:\s]+))?(?::(.+))?$/.exec(text) ?? [];
  return name !== undefined && hubRepositoryName.test(name) ? { name, revision, file } : null;
}
