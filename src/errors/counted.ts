/** `1 file`, `3 files`: a number and what it counts, as people write it. @param noun in the singular, with a plural in -s */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
