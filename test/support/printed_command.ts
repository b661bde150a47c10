/** Runs a command in this process, and takes what it prints. */
import { vi } from "vitest";
import { type CommandDefinition, runCommand } from "../../cli/command.ts";

/** @param name `bitnet-export` and its like */
export async function printedCommand(name: string, words: string[]): Promise<{ out: string; code: number }> {
  const module = await import(`../../cli/${name.replaceAll("-", "_")}.ts`);
  const printed: string[] = [];
  const line = (text: unknown) => void printed.push(`${text}\n`);
  const write = (text: unknown) => printed.push(String(text)) > 0;
  const spies = [
    vi.spyOn(console, "log").mockImplementation(line),
    vi.spyOn(console, "error").mockImplementation(line),
    vi.spyOn(process.stdout, "write").mockImplementation(write),
    vi.spyOn(process.stderr, "write").mockImplementation(write),
  ];
  process.exitCode = 0;
  await runCommand(module.command as CommandDefinition<never>, words);
  const code = Number(process.exitCode);
  process.exitCode = 0;
  for (const spy of spies) spy.mockRestore();
  return { out: printed.join(""), code };
}
