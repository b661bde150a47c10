/**
 * Runs untrusted Python in a process of its own, with limits: wall-clock and CPU time, memory, file size, no new
 * processes, an empty folder as home and working directory, no environment. That is damage control, not a sandbox: the
 * code can still read files and use the network as the user who runs it.
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { UserError } from "../../errors/user_error.ts";

/** Python 3 is not there. */
export class PythonMissingError extends UserError {
  override name = "PythonMissingError";
}

/** Seconds that a program may run: the code_eval metric's. */
const timeLimit = 3;
const memoryLimit = 4 * 2 ** 30;
const fileSizeLimit = 16 * 2 ** 20;

/** Sets the limits, then becomes the program; its output goes nowhere. */
const runner = `
import builtins, os, resource, sys
for name, limit in (("RLIMIT_CPU", ${timeLimit}), ("RLIMIT_AS", ${memoryLimit}), ("RLIMIT_FSIZE", ${fileSizeLimit}),
                    ("RLIMIT_NPROC", 0), ("RLIMIT_CORE", 0)):
    try:
        resource.setrlimit(getattr(resource, name), (limit, limit))
    except (AttributeError, ValueError, OSError):
        pass
os.environ["OMP_NUM_THREADS"] = "1"
with open("program.py") as file:
    program = file.read()
builtins.exit = builtins.quit = None
passed = int(sys.argv[1])
sys.argv[1:] = []
try:
    exec(program, {"__name__": "__tested__"})
except BaseException:
    os._exit(1)
os._exit(passed)
`;

/**
 * True if `program` runs to its end without an exception, within the limits.
 * @throws {PythonMissingError}
 */
export async function runPythonTest(program: string): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), "bitnet-python-"));
  try {
    await writeFile(path.join(folder, "program.py"), program);
    return await new Promise<boolean>((resolve, reject) => {
      // A program that leaves by itself does not know the exit code of success.
      const passed = randomInt(64, 120);
      const child = spawn("python3", ["-I", "-c", runner, String(passed)], {
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder },
        stdio: "ignore",
        detached: process.platform !== "win32",
      });
      const timer = setTimeout(() => {
        if (child.pid === undefined) return;
        try {
          // The whole group: the program may have started others.
          process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
        } catch {
          // It has just ended.
        }
      }, timeLimit * 1000);
      child.on("error", () => {
        clearTimeout(timer);
        reject(new PythonMissingError("python3 is needed to run the tests of this task, and was not found"));
      });
      child.on("exit", (code) => {
        clearTimeout(timer);
        resolve(code === passed);
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
