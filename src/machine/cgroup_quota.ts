/**
 * How much CPU time the control groups of this process grant it, on Linux: containers, systemd units, batch systems.
 *
 * Groups are nested, and each limits all below it: the least along the path holds. Version 2 keeps `cpu.max`
 * ("200000 100000": microseconds in each period, or "max"), version 1 `cpu.cfs_quota_us` (-1: none) and
 * `cpu.cfs_period_us`; both may be mounted at once. See cgroups(7), Documentation/admin-guide/cgroup-v2.rst.
 */
import { readFileSync } from "node:fs";
import path from "node:path";

/** A file system of control groups: the group `root` of the hierarchy is seen at `point`. */
interface Mount {
  version: 1 | 2;
  root: string;
  point: string;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Blanks and the like in /proc/self/mountinfo stand as `\040`. */
const decodeOctal = (text: string) =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** Lines are `31 23 0:28 root point options [optional ...] - type source superoptions`. */
function cpuMounts(mountinfo: string): Mount[] {
  return mountinfo.split("\n").flatMap((line): Mount[] => {
    const [before, after = ""] = line.split(" - ");
    const [, , , root = "", point = ""] = before.split(" ").map(decodeOctal);
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") return [{ version: 2, root, point }];
    return type === "cgroup" && options.split(",").includes("cpu") ? [{ version: 1, root, point }] : [];
  });
}

/** Path of the process's group: lines are `4:cpu,cpuacct:/path` of version 1, `0::/path` of version 2. */
function groupPath(cgroup: string, version: 1 | 2): string | undefined {
  for (const line of cgroup.split("\n")) {
    const [, number, controllers, group] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (version === 2 ? number === "0" && controllers === "" : controllers?.split(",").includes("cpu")) return group;
  }
  return undefined;
}

/** CPUs of one group; Infinity without a limit. */
function groupQuota(folder: string, version: 1 | 2): number {
  const [quota, period] =
    version === 2
      ? read(path.join(folder, "cpu.max")).trim().split(/\s+/)
      : [read(path.join(folder, "cpu.cfs_quota_us")), read(path.join(folder, "cpu.cfs_period_us"))];
  const cpus = Number.parseInt(quota, 10) / Number.parseInt(period, 10);
  return cpus > 0 ? cpus : Number.POSITIVE_INFINITY;
}

/** The folders from the mount's own down to the process's group; a group that is not to be seen ends them. */
function groupFolders({ root, point }: Mount, group: string): string[] {
  const below = path.posix.relative(root, group);
  const parts = below === "" || below.startsWith("..") ? [] : below.split("/");
  return [point, ...parts.map((_, depth) => path.join(point, ...parts.slice(0, depth + 1)))];
}

/**
 * CPUs' worth of time, as 0.5 or 2; Infinity where nothing limits it or nothing is known.
 * @param root the folder that holds `proc` and what its files name
 */
export function cgroupQuota(root = "/"): number {
  const cgroup = read(path.join(root, "proc/self/cgroup"));
  let least = Number.POSITIVE_INFINITY;
  for (const mount of cpuMounts(read(path.join(root, "proc/self/mountinfo")))) {
    const group = groupPath(cgroup, mount.version);
    if (group === undefined) continue;
    for (const folder of groupFolders(mount, group)) {
      least = Math.min(least, groupQuota(path.join(root, folder), mount.version));
    }
  }
  return least;
}
