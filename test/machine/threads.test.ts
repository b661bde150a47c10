import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cgroupQuota } from "../../src/machine/cgroup_quota.ts";
import {
  allowedThreads,
  checkThreads,
  helpfulThreads,
  threadsOfEnvironment,
  threadsRemark,
} from "../../src/machine/threads.ts";

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => void rmSync(folder, { recursive: true })));

/** A folder with these files, as / of a machine. */
function machine(files: Record<string, string>): string {
  const root = mkdtempSync(path.join(tmpdir(), "machine-"));
  folders.push(root);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  return root;
}

const status = (cpus: string) => ({
  "proc/self/status": `Name:\tnode\nCpus_allowed:\tffff\nCpus_allowed_list:\t${cpus}\n`,
});
const v2 = (group: string, root = "/", point = "/sys/fs/cgroup") => ({
  "proc/self/cgroup": `0::${group}\n`,
  "proc/self/mountinfo": `24 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 23 0:28 ${root} ${point} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n`,
});
const v1 = (group: string, root = "/") => ({
  "proc/self/cgroup": `9:name=systemd:/x\n3:cpuset:/y\n2:cpu,cpuacct:${group}\n0::/\n`,
  "proc/self/mountinfo": [
    `31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755`,
    `33 31 0:30 ${root} /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct`,
    `34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset`,
    `41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`,
  ].join("\n"),
});
const v1Quota = (folder: string, quota: number, period = 100_000) => ({
  [`sys/fs/cgroup/cpu,cpuacct${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
  [`sys/fs/cgroup/cpu,cpuacct${folder}/cpu.cfs_period_us`]: `${period}\n`,
});

describe("allowedThreads", () => {
  it.each<[string, Record<string, string>, number]>([
    ["affinity of one CPU", status("0"), 1],
    ["affinity of ranges", status("0-3,8,10-11"), 7],
    ["no quota (v2)", { ...status("0-7"), ...v2("/"), "sys/fs/cgroup/cpu.max": "max 100000\n" }, 8],
    ["a quota of a container (v2)", { ...status("0-7"), ...v2("/"), "sys/fs/cgroup/cpu.max": "200000 100000\n" }, 2],
    ["1.5 CPUs (v2)", { ...status("0-7"), ...v2("/"), "sys/fs/cgroup/cpu.max": "150000 100000\n" }, 2],
    ["half a CPU (v2)", { ...status("0-7"), ...v2("/"), "sys/fs/cgroup/cpu.max": "50000 100000\n" }, 1],
    ["more than the affinity (v2)", { ...status("0-1"), ...v2("/"), "sys/fs/cgroup/cpu.max": "900000 100000\n" }, 2],
    [
      "the least along the path, above the process's own (v2)",
      {
        ...status("0-15"),
        ...v2("/user.slice/job.scope/step"),
        "sys/fs/cgroup/user.slice/cpu.max": "300000 100000\n",
        "sys/fs/cgroup/user.slice/job.scope/cpu.max": "max 100000\n",
        "sys/fs/cgroup/user.slice/job.scope/step/cpu.max": "800000 100000\n",
      },
      3,
    ],
    [
      "a part of the hierarchy is mounted, a blank in its path (v2)",
      { ...status("0-15"), ...v2("/a b/c", "/a\\040b", "/mnt/x\\040y"), "mnt/x y/c/cpu.max": "400000 100000" },
      4,
    ],
    [
      "the path is outside the mount: its own folder (v2)",
      { ...status("0-15"), ...v2("/../other"), "sys/fs/cgroup/cpu.max": "500000 100000" },
      5,
    ],
    ["no quota (v1)", { ...status("0-3"), ...v1("/"), ...v1Quota("", -1) }, 4],
    ["a quota (v1)", { ...status("0-3"), ...v1("/job"), ...v1Quota("/job", 100_000) }, 1],
    ["2.01 CPUs of short periods (v1)", { ...status("0-3"), ...v1("/job"), ...v1Quota("/job", 20_100, 10_000) }, 3],
    ["of the parent (v1)", { ...status("0-3"), ...v1("/a/b"), ...v1Quota("/a", 200_000), ...v1Quota("/a/b", -1) }, 2],
    ["Docker's mount (v1)", { ...status("0-3"), ...v1("/docker/f00", "/docker/f00"), ...v1Quota("", 150_000) }, 2],
    ["the path is not below the mount (v1)", { ...status("0-3"), ...v1("/docker/f00"), ...v1Quota("", 50_000) }, 1],
    ["rubbish", { ...status("0-3"), ...v2("/"), "sys/fs/cgroup/cpu.max": "rubbish" }, 4],
  ])("%s", (_, files, threads) => {
    expect(allowedThreads(machine(files))).toBe(threads);
  });

  it("is what Node counts where there is no /proc", () => {
    expect(allowedThreads(machine({}))).toBe(availableParallelism());
    expect(cgroupQuota(machine({}))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("threads asked for", () => {
  it("BITNET_THREADS is a number of threads, or nothing", () => {
    expect(threadsOfEnvironment({ BITNET_THREADS: " 3 " })).toBe(3);
    expect(threadsOfEnvironment({ BITNET_THREADS: "" })).toBeUndefined();
    expect(threadsOfEnvironment({})).toBeUndefined();
    for (const wrong of ["0", "-1", "1.5", "all", "2000"]) {
      expect(() => threadsOfEnvironment({ BITNET_THREADS: wrong })).toThrow(
        `BITNET_THREADS must be an integer from 1 to 1024, not ${wrong}`,
      );
    }
  });

  it("1 ... 1024", () => {
    expect(checkThreads(1024)).toBe(1024);
    expect(() => checkThreads(1025, "--threads")).toThrow("--threads must be an integer from 1 to 1024, not 1025");
  });

  it("more than allowed gets a remark", () => {
    expect(threadsRemark(2, 2)).toBeNull();
    expect(threadsRemark(16, 1)).toBe(
      "16 threads on 1 CPU, which is all that this process may use: they will wait for one another",
    );
  });
});

describe("helpfulThreads", () => {
  it.each([
    [2, 0, 1],
    [2, 2.7e8, 1],
    [2, 1.1e9, 2],
    [16, 1.1e9, 5],
    [16, 1e12, 16],
    [1, 1e12, 1],
  ])("of %i for %f operations: %i", (threads, operations, helpful) => {
    expect(helpfulThreads(threads, operations)).toBe(helpful);
  });
});
