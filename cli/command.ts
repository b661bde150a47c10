/**
 * What every command shares: strict flags with "did you mean", exit codes, one-line errors, Ctrl-C.
 *
 * Exit codes: 0 done, 1 a run-time error, 2 wrong usage, 130 interrupted. Errors go to stderr as one line,
 * `bitnet-eval: no such file or folder: small.gguf`; `BITNET_DEBUG=1` adds the stack, which bugs of ours always have.
 */
import yargs, { type InferredOptionTypes, type Options } from "yargs";
import { nearestHint } from "../src/errors/nearest_name.ts";
import { UserError } from "../src/errors/user_error.ts";
import { packageVersion } from "../src/files/package.ts";
import { errorReport } from "./error_report.ts";
import { watchParent } from "./parent_channel.ts";

/** The command line is wrong: exit code 2. */
export class UsageError extends UserError {
  override name = "UsageError";
  override readonly exitCode = 2;
}

/** The user ended the command: exit code 130. */
export class InterruptedError extends UserError {
  override name = "InterruptedError";
  override readonly exitCode = 130;

  constructor() {
    super("interrupted");
  }
}

export interface CommandContext {
  /** Aborted by the first Ctrl-C (or SIGTERM): finish what must be finished, then return or throw. A second one kills. */
  signal: AbortSignal;
  /** Arguments that are not flags, in the order of {@link CommandDefinition.positionals}. */
  positionals: readonly string[];
}

/** What to give instead of a flag, written with `-`; undefined for one that nobody has. */
export type FlagAdvice = (flag: string) => string | undefined;

export interface CommandDefinition<O extends Record<string, Options>> {
  /** As the user types it: `bitnet-eval`. */
  name: string;
  /** What the command does, in a sentence. */
  summary: string;
  /** Names of the positional arguments, in order. */
  positionals?: readonly string[];
  /** How many of them are required; default all. */
  requiredPositionals?: number;
  /** What may follow them, any number. */
  furtherPositionals?: string;
  /** yargs options. `--num_fewshot` and `--num-fewshot` are the same flag whichever of the two stands here. */
  options: O;
  /** What to give instead of a flag that other programs have. */
  advice?: FlagAdvice;
  /** Pairs of a command line and what it does. */
  examples: readonly (readonly [commandLine: string, meaning: string])[];
  /** Shown below the options of `--help`. */
  epilogue?: string | (() => string);
  /** The command answers Ctrl-C itself: only SIGTERM aborts {@link CommandContext.signal}. */
  handlesInterrupt?: boolean;
  run(options: InferredOptionTypes<O>, context: CommandContext): Promise<void>;
}

/** A command as a value: `cli/bin` runs it, tests call it. The types of its options are those of its flags. */
export function defineCommand<O extends Record<string, Options>>(
  definition: CommandDefinition<O>,
): CommandDefinition<O> {
  return definition;
}

/** What yargs says of a wrong command line, in the words of the other errors here. */
const yargsMessages: Record<string, string | { one: string; other: string }> = {
  "Missing required argument: %s": { one: "--%s is missing", other: "flags are missing: %s" },
  "Not enough arguments following: %s": "--%s needs a value",
  "Invalid values:": " ",
  "Argument: %s, Given: %s, Choices: %s": "--%s cannot be %s: choose one of %s",
};

/** yargs adds these two by itself. */
const builtinFlags = ["help", "version"];

const foldDashes = (flag: string) => flag.replaceAll("_", "-");

/** A value that no flag can be spelled like: standard input, or a text that begins with a dash. */
const isDashedValue = (arg: string | undefined) => arg === "-" || (arg?.startsWith("-") === true && /\s/.test(arg));

/**
 * Rewrites every `--flag`, and every short `-f`, to its declared spelling (`-` and `_` are the same).
 * @throws {UsageError} with what to say instead, or naming the nearest flag, if one is not declared.
 */
export function canonicalFlags(
  args: readonly string[],
  options: Record<string, Options>,
  advice: FlagAdvice = () => undefined,
): string[] {
  const hintOf = (written: string) => {
    const text = advice(foldDashes(written));
    return text === undefined ? undefined : `: ${text}`;
  };
  const declared = new Map<string, string>();
  const short = new Map<string, string>();
  for (const flag of [...Object.keys(options), ...builtinFlags]) {
    declared.set(foldDashes(flag), flag);
    if (options[flag]?.type === "boolean") declared.set(`no-${foldDashes(flag)}`, `no-${flag}`);
    for (const letter of [options[flag]?.alias ?? []].flat()) short.set(letter, flag);
  }
  /** The flag and what follows its name in the same argument: "", or `=value`. */
  const read = (arg: string): [flag: string, rest: string] => {
    if (arg.startsWith("--")) {
      const [written] = arg.slice(2).split("=", 1);
      const flag = declared.get(foldDashes(written));
      if (flag !== undefined) return [flag, arg.slice(2 + written.length)];
      throw new UsageError(
        `unknown flag --${written}${hintOf(written) ?? nearestHint(written, declared.values(), "--")}`,
      );
    }
    const [letter, rest] = [arg[1], arg.slice(2)];
    const flag = short.get(letter);
    if (flag === undefined || (rest !== "" && options[flag].type === "boolean")) {
      throw new UsageError(`unknown flag ${arg}`);
    }
    return [flag, rest === "" || rest.startsWith("=") ? rest : `=${rest}`];
  };
  const canonical: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--") return [...canonical, ...args.slice(i)];
    if (!/^--|^-[A-Za-z]/.test(args[i]) || isDashedValue(args[i])) {
      canonical.push(args[i]);
      continue;
    }
    const [flag, rest] = read(args[i]);
    const takesText = options[flag]?.type === "string" || (options[flag]?.type === "array" && args[i + 1] === "-");
    const takesNext = rest === "" && takesText && isDashedValue(args[i + 1]);
    canonical.push(`--${flag}${takesNext ? `=${args[++i]}` : rest}`);
  }
  return canonical;
}

/** @throws {UsageError} unless `value` is absent or an integer of at least `minimum`. */
export function checkInteger(flag: string, value: number | undefined, minimum: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= minimum)) return;
  throw new UsageError(`--${flag} must be an integer of at least ${minimum}, not ${value}`);
}

/** Absent numbers pass; `--limit abc` and a flag given twice do not. */
function checkValues(options: Record<string, Options>, values: Record<string, unknown>): void {
  for (const [flag, option] of Object.entries(options)) {
    const value = values[flag];
    if (option.type !== "array" && !option.array && Array.isArray(value)) {
      throw new UsageError(`--${flag} is given more than once`);
    }
    if (option.type === "number" && Number.isNaN(value)) throw new UsageError(`--${flag} must be a number`);
  }
}

/** Parses `args`; prints help or the version and leaves the process if asked to. */
function parse<O extends Record<string, Options>>(definition: CommandDefinition<O>, args: readonly string[]) {
  const positionals = definition.positionals ?? [];
  const { requiredPositionals: required = positionals.length, furtherPositionals: further } = definition;
  // A flag that takes a value never swallows the next flag for it.
  const options = Object.fromEntries(
    Object.entries(definition.options).map(([flag, option]) => [
      flag,
      option.type === "boolean" ? option : { requiresArg: true, ...option },
    ]),
  ) as unknown as O;
  const parser = yargs(canonicalFlags(args, definition.options, definition.advice))
    .locale("en")
    .updateStrings(yargsMessages as Record<string, string>)
    .scriptName(definition.name)
    .usage(
      `${["$0", ...positionals.map((name, i) => (i < required ? `<${name}>` : `[${name}]`)), ...(further ? [`[${further} ...]`] : [])].join(" ")} [options]\n\n${definition.summary}`,
    )
    .options(options)
    .example(definition.examples as [string, string][])
    .epilogue(typeof definition.epilogue === "function" ? definition.epilogue() : (definition.epilogue ?? ""))
    .version(packageVersion())
    .help()
    .strictOptions()
    .parserConfiguration({ "dot-notation": false, "parse-positional-numbers": false })
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .fail((message, error) => {
      throw new UsageError((message ?? error.message).trim());
    });
  const values = parser.parseSync() as Record<string, unknown>;
  checkValues(definition.options, values);
  const given = (values._ as (string | number)[]).map(String);
  if (given.length < required) throw new UsageError(`missing argument <${positionals[given.length]}>`);
  if (given.length > positionals.length && further === undefined)
    throw new UsageError(`unexpected argument "${given[positionals.length]}"`);
  return { options: values as InferredOptionTypes<O>, positionals: given };
}

/** `head` has closed our stdout: that is no error of ours. */
function leaveOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}

/** The first of these signals aborts `signal`, the second ends the process; the end of who started it aborts, too. */
function abortOnSignal(names: readonly NodeJS.Signals[]): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new InterruptedError());
  };
  for (const name of names) process.on(name, onSignal);
  const forgetParent = watchParent(() => controller.abort(new InterruptedError()));
  return {
    signal: controller.signal,
    release: () => {
      forgetParent();
      for (const name of names) process.off(name, onSignal);
    },
  };
}

/** Runs a command on `args` (without node and script) and sets `process.exitCode`. Never throws. */
export async function runCommand<O extends Record<string, Options>>(
  definition: CommandDefinition<O>,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  process.stdout.off("error", leaveOnClosedPipe).on("error", leaveOnClosedPipe);
  const interrupt = abortOnSignal(definition.handlesInterrupt ? ["SIGTERM"] : ["SIGINT", "SIGTERM"]);
  try {
    const { options, positionals } = parse(definition, args);
    await definition.run(options, { signal: interrupt.signal, positionals });
  } catch (error) {
    const reason = interrupt.signal.aborted ? new InterruptedError() : error;
    const hint = reason instanceof UsageError ? ` (see ${definition.name} --help)` : "";
    console.error(`${definition.name}: ${errorReport(reason)}${hint}`);
    if (process.env.BITNET_DEBUG === "1") console.error(error);
    process.exitCode = reason instanceof UserError ? reason.exitCode : 1;
  } finally {
    interrupt.release();
  }
}
