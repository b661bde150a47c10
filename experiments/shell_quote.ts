/** An argument as it is typed in bash or zsh: what is shown can be copied. */
export function shellQuoted(arg: string): string {
  if (/^[\w./,:=-]+$/.test(arg)) return arg;
  if (/^[^"$`\\!\n]+$/.test(arg)) return `"${arg}"`;
  return `$'${arg.replace(/[\\']/g, "\\$&").replaceAll("\n", "\\n")}'`;
}
