/** clang-format check of the C++ sources, when clang-format is installed; says so when it is not. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const files = ["native/cc", "native/check"].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true })
    .filter((name) => /\.(cc|h)$/.test(name) && !name.includes("build"))
    .map((name) => path.join(folder, name)),
);
if (spawnSync("clang-format", ["--version"]).status !== 0) {
  console.log("clang-format is not installed: the format of the C++ sources was not checked");
} else {
  const result = spawnSync("clang-format", ["--dry-run", "--Werror", ...files], { cwd: root, stdio: "inherit" });
  process.exitCode = result.status ?? 1;
  if (result.status === 0) console.log(`clang-format: ${files.length} files are formatted`);
}
