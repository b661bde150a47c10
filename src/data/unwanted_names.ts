/** Files and folders beside the data that nobody means: of version control, of editors, of operating systems. */

const folders = new Set(["node_modules", "__MACOSX", "__pycache__", "lost+found"]);
/** Backups and half-written files: `a.txt~`, `#a.txt#`, `~$a.txt`, `a.txt.swp`, `a.txt.part`. */
const backup = /~$|^#.*#$|^~\$|\.(?:sw[a-p]|bak|orig|old|tmp|temp|part|partial|crdownload|incomplete)$/i;
/** Cards and lists that describe a data set and lie beside its files of rows. */
const description =
  /^(?:(?:README|LICEN[CS]E|COPYING|CHANGELOG|CITATION|CONTRIBUTING|NOTICE)(?:[.-].*)?|dataset_infos?\.json|dataset_dict\.json|state\.json)$/i;

export type Unwanted = "hidden" | "backup" | "tool";

/** Why a file or folder of this name (not path) is none of the data; undefined if it may be. */
export function unwantedName(name: string): Unwanted | undefined {
  if (name === "." || name === "..") return undefined;
  if (name.startsWith(".")) return "hidden";
  if (folders.has(name)) return "tool";
  return backup.test(name) ? "backup" : undefined;
}

/** True for a file that says something about the data. */
export function isDescription(name: string): boolean {
  return description.test(name);
}
